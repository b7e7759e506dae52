// SPDX-License-Identifier: BSL-1.0
// A peer that knows the wire and breaks its rules: what it can do ends at its own channel.
#include <brood/wire/channel.hpp>

#include <brood/base/loop.hpp>
#include <brood/wire/detail/pass_descriptors.hpp>
#include <brood/wire/frame.hpp>
#include <brood/wire/internal/local_pair.hpp>
#include <brood/wire/internal/memory_file.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"
#include "support/within.hpp"

#include <asio/post.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::channel;
using brood::channel_limits;
using brood::descriptor;
using brood::frame_kind;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// A channel, and the bare socket at its other end.
struct broken
{
    descriptor peer;
    channel ours;

    explicit broken(const channel_limits& limits = {})
    {
        auto [left, right] = brood::detail::local_pair();
        int small = 4096; // so that a peer that does not read is felt soon
        ::setsockopt(left.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        peer = std::move(right);
        ours = channel(brood::default_executor(), std::move(left), "process 4711", limits);
        write(hello_bytes());
    }

    bool write(const std::string& bytes)
    {
        auto count = ::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return count == static_cast<ssize_t>(bytes.size());
    }

    std::string read_all()
    {
        char bytes[65536];
        auto count = ::recv(peer.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        return {bytes, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    }

    /// Whether anything was there to read.
    std::size_t read()
    {
        char bytes[65536];
        auto count = ::recv(peer.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
};

task<brood::error> refusal(channel& from)
{
    try
    {
        co_await from.message<int>(patient(5s));
    }
    catch (const brood::error& wrong)
    {
        co_return wrong;
    }
    co_return brood::error(brood::errc::closed, "nothing was refused");
}

std::string request_bytes(std::uint64_t number, int value = 1)
{
    return frame_bytes({0, frame_kind::request, 0, 0, brood::message_fingerprint<int>(), number},
                       payload_bytes(value));
}

/// How a serve() ended: the text of its error, or "the end"; empty while it works.
struct serving
{
    std::string end;
    std::error_code code;

    template <class... Handlers>
    void begin(channel& by, Handlers... handlers)
    {
        auto work = by.serve(handlers...);
        asio::co_spawn(brood::default_executor(), std::move(work),
                       [this](std::exception_ptr thrown) { ended(thrown); });
    }

    void ended(const std::exception_ptr& thrown)
    {
        end = "the end";
        try
        {
            if (thrown)
                std::rethrow_exception(thrown);
        }
        catch (const std::system_error& wrong)
        {
            end = wrong.what();
            code = wrong.code();
        }
    }
};

task<int> for_ever(int& cancelled)
{
    try
    {
        co_await brood::sleep(1h);
    }
    catch (const std::system_error&)
    {
        ++cancelled;
    }
    co_return 0;
}

} // namespace

/// Takes texts until the channel ends, and gives why.
task<brood::error> refusal_behind_texts(channel& from, int& taken)
{
    try
    {
        auto text = co_await from.message<std::string>(patient(5s));
        for (; text; ++taken)
            text = co_await from.message<std::string>(patient(5s));
    }
    catch (const brood::error& wrong)
    {
        co_return wrong;
    }
    co_return brood::error(brood::errc::closed, "nothing was refused");
}

TEST_WITHIN(10s, "two requests with one number at the same time end the channel", "[raw_peer]")
{
    broken with;
    serving serve;
    int cancelled = 0;
    serve.begin(with.ours, [&](int) { return for_ever(cancelled); });
    with.write(request_bytes(7) + request_bytes(7));

    auto ended = co_await eventually(5s, [&] { return !serve.end.empty(); });

    CHECK(ended);
    CHECK(serve.code == brood::errc::malformed);
    CHECK_THAT(serve.end, ContainsSubstring("process 4711"));
    CHECK_THAT(serve.end, ContainsSubstring("number 7"));
    auto told = co_await eventually(5s, [&] { return cancelled == 1; });
    CHECK(told);
}

TEST_WITHIN(20s, "who asks and never reads the replies is answered only as far as there is room",
            "[raw_peer]")
{
    channel_limits limits;
    limits.outgoing_high_water = 100'000;
    limits.max_outgoing = 1'000'000;
    broken with(limits);
    serving serve;
    int begun = 0;
    auto large = [&](int)
    {
        ++begun;
        return std::string(50'000, 'x');
    };
    serve.begin(with.ours, large);
    std::string requests;
    for (std::uint64_t number = 1; number <= 200; ++number)
        requests += request_bytes(number);
    CHECK(with.write(requests));
    auto some = co_await eventually(5s, [&] { return begun > 0; });
    CHECK(some);
    co_await brood::sleep(50ms);

    CHECK(begun < 10);
    CHECK(serve.end.empty());
    auto all = co_await eventually(10s,
                                   [&]
                                   {
                                       with.read();
                                       return begun == 200;
                                   });
    CHECK(all);
}

TEST_WITHIN(20s, "replies that all come at once to a peer that does not read end its channel alone",
            "[raw_peer]")
{
    channel_limits limits;
    limits.max_outgoing = 1'000'000;
    broken with(limits);
    serving serve;
    auto later = [](int) -> task<std::string>
    {
        co_await brood::sleep(20ms);
        co_return std::string(50'000, 'x');
    };
    serve.begin(with.ours, later);
    std::string requests;
    for (std::uint64_t number = 1; number <= 200; ++number)
        requests += request_bytes(number);
    CHECK(with.write(requests));

    auto ended = co_await eventually(10s, [&] { return !serve.end.empty(); });

    CHECK(ended);
    CHECK(serve.code == brood::errc::overflow);
    CHECK_THAT(serve.end, ContainsSubstring("process 4711"));
    CHECK_FALSE(with.ours.connected());
}

TEST_WITHIN(20s, "confirmations pile up only to the limit before a peer that does not read",
            "[raw_peer]")
{
    channel_limits limits;
    limits.max_outgoing = 10'000;
    broken with(limits);
    descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto before = open_descriptors().size();
    auto reply = frame_bytes({0, frame_kind::reply, 0, 1, 7, 12345});
    auto bytes = std::as_bytes(std::span(reply));
    for (int count = 0; count < 5'000 && with.ours.connected(); ++count)
    {
        brood::detail::send_bytes(with.peer.get(), bytes, {&null, 1});
        if (count % 100 == 99)
            co_await brood::sleep(1ms);
    }

    auto wrong = co_await refusal(with.ours);
    CHECK(wrong.code() == brood::errc::overflow);
    CHECK_THAT(wrong.what(), ContainsSubstring("process 4711"));
    CHECK_THAT(wrong.what(), ContainsSubstring("does not read"));
    CHECK(open_descriptors().size() <= before);
}

TEST_WITHIN(20s, "a flood of frames that nobody takes does not stand in the way of another channel",
            "[raw_peer]")
{
    broken with;
    auto [one, other] = channel::pair();
    std::string flood;
    for (int count = 0; count < 4000; ++count)
        flood += frame_bytes({0, frame_kind::cancel, 0, 0, 0, 12345});
    std::atomic<bool> stop = false;
    std::thread floods(
        [&]
        {
            while (!stop)
                if (::send(with.peer.get(), flood.data(), flood.size(), MSG_NOSIGNAL) <= 0)
                    return;
        });
    for (int number = 0; number < 100; ++number)
    {
        one.send(number);
        auto taken = co_await other.message<int>();
        CHECK(taken == number);
    }
    CHECK(with.ours.connected()); // it was flooded all the time
    stop = true;
    with.ours = channel();
    ::shutdown(with.peer.get(), SHUT_RDWR);
    floods.join();
}

TEST_WITHIN(20s, "one turn reads no more than a part of what a fast peer has written", "[raw_peer]")
{
    broken with;
    int large = 16 << 20;
    if (::setsockopt(with.peer.get(), SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large) != 0)
    {
        WARN("needs root");
        co_return;
    }
    std::string flood;
    for (int count = 0; count < 10'000; ++count)
        flood += frame_bytes({0, frame_kind::cancel, 0, 0, 0, 12345});
    int written = 0;
    while (with.write(flood))
        ++written;
    REQUIRE(written > 20);
    auto executor = co_await asio::this_coro::executor;
    int turns = 0;
    for (int left = 1; left != 0; ++turns)
    {
        co_await asio::post(executor, asio::use_awaitable);
        REQUIRE(::ioctl(with.peer.get(), TIOCOUTQ, &left) == 0);
    }

    CHECK(turns >= written * static_cast<int>(flood.size()) / (2 << 20));
}

TEST_WITHIN(10s, "another version of the wire is told as such", "[raw_peer]")
{
    auto [left, right] = brood::detail::local_pair();
    channel ours(brood::default_executor(), std::move(left), "process 4711");
    auto hello = hello_bytes(brood::wire_magic, brood::wire_version + 1);
    ::send(right.get(), hello.data(), hello.size(), MSG_NOSIGNAL);

    auto wrong = co_await refusal(ours);

    CHECK(wrong.code() == brood::errc::version_mismatch);
    CHECK_THAT(wrong.what(), ContainsSubstring("process 4711: it speaks version"));
}

TEST_WITHIN(10s, "a failure that is none ends the call and the channel", "[raw_peer]")
{
    broken with;
    auto reply = with.ours.call<int>(1);
    with.write(frame_bytes({0, frame_kind::failure, 0, 0, 0, 1}, "nonsense"));
    std::error_code refused;
    try
    {
        co_await std::move(reply);
    }
    catch (const brood::error& wrong)
    {
        refused = wrong.code();
    }

    CHECK(refused == brood::errc::malformed);
    CHECK_FALSE(with.ours.connected());
}

TEST_WITHIN(10s, "a call that waits learns what its peer did wrong", "[raw_peer]")
{
    broken with;
    auto reply = with.ours.call<int>(1);
    with.write(frame_bytes({0, static_cast<frame_kind>(99), 0, 0, 0, 0}));
    std::error_code refused;
    std::string text;
    try
    {
        co_await std::move(reply);
    }
    catch (const brood::error& wrong)
    {
        refused = wrong.code();
        text = wrong.what();
    }

    CHECK(refused == brood::errc::malformed);
    CHECK_THAT(text, ContainsSubstring("process 4711: "));
}

TEST_WITHIN(10s, "descriptors beside a request that takes none are closed, and it is answered",
            "[raw_peer]")
{
    broken with;
    serving serve;
    int seen = 0;
    serve.begin(with.ours, [&](int number) { seen = number; });
    descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto before = open_descriptors().size();
    auto request = request_bytes(1, 5);
    request[6] = 1; // how many descriptors are beside it
    auto bytes = std::as_bytes(std::span(request));
    brood::detail::send_bytes(with.peer.get(), bytes, {&null, 1});

    auto answered = co_await eventually(5s, [&] { return seen == 5; });

    CHECK(answered);
    CHECK(open_descriptors().size() == before);
    CHECK(serve.end.empty());
}

TEST_WITHIN(10s, "an end in the middle of a request ends a serve with an error", "[raw_peer]")
{
    broken with;
    serving serve;
    int cancelled = 0;
    serve.begin(with.ours, [&](int) { return for_ever(cancelled); });
    auto half = request_bytes(2);
    half.pop_back();
    with.write(request_bytes(1) + half);
    ::shutdown(with.peer.get(), SHUT_WR);

    auto ended = co_await eventually(5s, [&] { return !serve.end.empty(); });

    CHECK(ended);
    CHECK(serve.code == brood::errc::malformed);
    auto told = co_await eventually(5s, [&] { return cancelled == 1; });
    CHECK(told);
}

TEST_CASE("descriptors that nobody takes are received only as far as they may be under way",
          "[raw_peer]")
{
    auto calls = GENERATE(false, true);
    within(20s,
           [calls]() -> task<>
           {
               channel_limits limits;
               limits.max_descriptors = 16;
               broken with(limits);
               std::optional<task<int>> call;
               if (calls) // whose reply may stand behind the messages
                   call = with.ours.call<int>(1);
               std::vector<descriptor> beside;
               while (beside.size() < 16)
                   beside.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
               auto bytes = message_bytes(1);
               bytes[6] = 16; // how many descriptors are beside it
               co_await brood::sleep(5ms);
               auto before = open_descriptors().size();
               for (int frame = 0; frame < 40; ++frame)
               {
                   brood::detail::send_bytes(with.peer.get(), std::as_bytes(std::span(bytes)),
                                             beside);
                   co_await brood::sleep(1ms);
               }

               CHECK(open_descriptors().size() <= before + brood::frame_window{}.descriptors);
           });
}

TEST_WITHIN(10s,
            "a request whose shared_bytes cannot be had is told to its caller, and a serve goes on",
            "[raw_peer]")
{
    broken with;
    serving serve;
    serve.begin(with.ours, [](brood::carrying<int, brood::shared_bytes>) { return 1; });
    auto file = brood::detail::make_memory_file(4);
    auto path = "/proc/self/fd/" + std::to_string(file.get());
    descriptor unreadable(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    auto request = request_bytes(1);
    request[6] = 1; // how many descriptors are beside it
    co_await brood::sleep(5ms);
    with.read();
    brood::detail::send_bytes(with.peer.get(), std::as_bytes(std::span(request)), {&unreadable, 1});

    auto answered =
        co_await eventually(5s, [&] { return !serve.end.empty() || with.read() > 2 * 24; });

    CHECK(answered);
    CHECK(serve.end.empty());
}

TEST_WITHIN(10s,
            "what was confirmed does not come back, although a write failed before that was read",
            "[raw_peer]")
{
    broken with;
    with.ours.send(1, descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    with.ours.send(2, descriptor(::open("/dev/zero", O_RDONLY | O_CLOEXEC)));
    co_await with.ours.flush();
    co_await brood::sleep(5ms);
    while (with.read() > 0)
        ;
    with.write(frame_bytes({0, frame_kind::taken, 0, 0, 0, 1}));
    with.peer.reset();
    with.ours.send(3);
    std::error_code failed;
    try
    {
        co_await with.ours.flush(); // finds that it has gone, and does not read
    }
    catch (const brood::error& gone)
    {
        failed = gone.code();
    }
    CHECK(failed == brood::errc::closed);
    co_await with.ours.disconnected();

    CHECK(with.ours.undelivered().size() == 1);
}

TEST_WITHIN(10s, "a call that was never sent is not cancelled either", "[raw_peer]")
{
    channel_limits limits;
    limits.max_message = 100;
    broken with(limits);
    co_await with.ours.flush();
    with.read();
    std::string text(1'000, 'x');

    CHECK_THROWS_AS(with.ours.call<int>(text), brood::error);
    CHECK_THROWS_AS(with.ours.call<int>(text), brood::error);
    co_await with.ours.flush();

    auto name = brood::message_name<std::string>(); // crosses once, before its first use
    CHECK(with.read() == brood::frame_header::size + name.size());
}

TEST_WITHIN(20s, "a peer that sends more than it was told is refused, behind what it might send",
            "[raw_peer]")
{
    channel_limits narrow;
    narrow.incoming_high_water = 10'000;
    broken with(narrow);
    for (int number = 0; number < 400; ++number)
    {
        with.write(message_bytes(std::string(1000, 'x')));
        if (number % 50 == 49)
            co_await brood::sleep(1ms);
    }
    int taken = 0;
    auto wrong = co_await refusal_behind_texts(with.ours, taken);

    CHECK(wrong.code() == brood::errc::malformed);
    CHECK_THAT(wrong.what(), ContainsSubstring("more than it was told that it may send"));
    CHECK(taken > 250); // what may be sent before the hello has come
    CHECK(taken < 270);
}

TEST_WITHIN(20s, "a peer that floods the lane for control is refused", "[raw_peer]")
{
    broken with;
    std::string body(100'000, 'c');
    for (int count = 0; count < 20; ++count)
    {
        with.write(frame_bytes({0, frame_kind::control, 0, 0, 7, 0}, body));
        co_await brood::sleep(1ms);
    }
    auto wrong = co_await refusal(with.ours);

    CHECK(wrong.code() == brood::errc::malformed);
    CHECK_THAT(wrong.what(), ContainsSubstring("control"));
}

TEST_WITHIN(20s, "credit for what needs none is refused", "[raw_peer]")
{
    broken with;
    with.write(frame_bytes({0, frame_kind::credit, 0, 0, 999, 1}));

    auto wrong = co_await refusal(with.ours);

    CHECK(wrong.code() == brood::errc::malformed);
}

TEST_WITHIN(20s, "a peer that is refused learns why, and says so", "[raw_peer]")
{
    std::string broken_text = message_bytes<std::string>(std::string("\xff"));
    broken with;
    with.write(broken_text);
    int taken = 0;
    auto wrong = co_await refusal_behind_texts(with.ours, taken);
    CHECK(wrong.code() == brood::errc::malformed);
    std::string heard(with.read_all());

    CHECK_THAT(heard, ContainsSubstring("a std::string of which"));

    broken told;
    told.write(frame_bytes({0, frame_kind::broken, 0, 0, 0, 0}, "you speak of cabbages"));
    auto why = co_await refusal(told.ours);
    CHECK(why.code() == brood::errc::malformed);
    CHECK_THAT(why.what(), ContainsSubstring("process 4711: it cannot read what it was sent: "
                                             "you speak of cabbages"));
}
