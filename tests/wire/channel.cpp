// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/channel.hpp>

#include <brood/base/descriptor.hpp>
#include <brood/base/loop.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/frames.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/post.hpp>

#include <sys/socket.h>

#include <asio/experimental/awaitable_operators.hpp>
#include <cereal/types/vector.hpp>

#include <array>
#include <csignal>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::channel;
using brood::channel_limits;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

struct point
{
    int x = 0;
    int y = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(x, y);
    }
};

/// Can only be sent in a good mood.
struct moody
{
    bool throws = false;

    template <class Archive>
    void save(Archive&) const
    {
        if (throws)
            throw std::domain_error("not today");
    }
    template <class Archive>
    void load(Archive&)
    {
    }
};

struct sixty_four
{
    std::array<std::uint64_t, 8> words{};

    template <class Archive>
    void serialize(Archive& archive)
    {
        for (auto& word : words)
            archive(word);
    }
};

/// Waits in the background, and tells that it ended.
struct waiting
{
    asio::cancellation_signal stop;
    int done = 0;
    int failed = 0;

    template <class Executor, class Result>
    void begin(const Executor& executor, task<Result> wait)
    {
        auto slot = stop.slot();
        if constexpr (std::is_void_v<Result>)
            asio::co_spawn(executor, std::move(wait),
                           asio::bind_cancellation_slot(slot, [this](std::exception_ptr thrown)
                                                        { ++(thrown ? failed : done); }));
        else
            asio::co_spawn(
                executor, std::move(wait),
                asio::bind_cancellation_slot(slot, [this](std::exception_ptr thrown, const auto&)
                                             { ++(thrown ? failed : done); }));
    }
};

template <class Message>
task<std::error_code> refusal(channel& from)
{
    try
    {
        co_await from.message<Message>();
    }
    catch (const std::system_error& wrong)
    {
        co_return wrong.code();
    }
    co_return std::error_code();
}

/// A message whose own load function refuses what came.
struct refuses_seven
{
    int number = 0;

    template <class Archive>
    void save(Archive& to) const
    {
        to(number);
    }

    template <class Archive>
    void load(Archive& from)
    {
        from(number);
        if (number == 7)
            throw std::runtime_error("seven is not for me");
    }
};

} // namespace

TEST_WITHIN(20s, "messages arrive in the order they were sent, both ways", "[channel]")
{
    auto [one, other] = channel::pair();
    for (int number = 0; number < 1000; ++number)
    {
        one.send(number);
        other.send(std::to_string(number));
    }
    for (int number = 0; number < 1000; ++number)
    {
        auto there = co_await other.message<int>();
        auto back = co_await one.message<std::string>();
        CHECK(there == number);
        CHECK(back == std::to_string(number));
    }
}

TEST_WITHIN(60s, "a hundred thousand messages stream both ways at once", "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    auto stream = [](channel& to) -> task<>
    {
        for (int number = 0; number < 100'000; ++number)
        {
            auto room = to.send(number);
            if (!room)
                co_await to.drain();
        }
    };
    auto take = [](channel& from) -> task<>
    {
        for (int number = 0; number < 100'000; ++number)
        {
            auto next = co_await from.message<int>();
            if (next != number)
                FAIL("message " << number << " is another");
        }
    };
    waiting all;
    all.begin(executor, stream(one));
    all.begin(executor, stream(other));
    all.begin(executor, take(one));
    all.begin(executor, take(other));
    auto done = co_await eventually(50s, [&] { return all.done + all.failed == 4; });
    CHECK(done);
    CHECK(all.failed == 0);
}

TEST_CASE("messages of every size arrive whole", "[channel]")
{
    within(
        20s,
        []() -> task<>
        {
            auto [one, other] = channel::pair();
            auto executor = co_await asio::this_coro::executor;
            for (std::size_t size : {0U, 1U, 1000U, 65'535U, 65'536U, 65'537U, 1U << 20, 15U << 20})
            {
                std::string text(size, 'x');
                if (size > 0)
                    text.back() = 'z';
                one.send(text);
                auto received = co_await other.message<std::string>();
                CHECK((received == text));
            }
        });
}

TEST_WITHIN(10s, "another type is an error that names both, and the message is still there",
            "[channel]")
{
    auto [one, other] = channel::pair();
    point sent{1, 2};
    one.send(sent);
    std::string text;
    try
    {
        co_await other.message<std::string>();
    }
    catch (const brood::error& wrong)
    {
        CHECK(wrong.code() == brood::errc::wrong_type);
        text = wrong.what();
    }
    CHECK_THAT(text, ContainsSubstring("point"));
    CHECK_THAT(text, ContainsSubstring("string was asked for"));
    auto taken = co_await other.message<point>();
    REQUIRE(taken);
    CHECK(taken->y == 2);
}

TEST_WITHIN(10s, "of several types, whichever comes is taken", "[channel]")
{
    auto [one, other] = channel::pair();
    one.send(std::string("text"));
    one.send(7);
    auto first = co_await other.message<int, std::string>();
    auto second = co_await other.message<int, std::string>();
    REQUIRE((first && second));
    CHECK(std::get<std::string>(*first) == "text");
    CHECK(std::get<int>(*second) == 7);

    one.send(point{});
    std::error_code wrong;
    try
    {
        co_await other.message<int, std::string>();
    }
    catch (const brood::error& error)
    {
        wrong = error.code();
    }
    CHECK(wrong == brood::errc::wrong_type);
    auto kept = other.try_message<std::string, point>();
    REQUIRE(kept);
    CHECK(std::holds_alternative<point>(*kept));
}

TEST_WITHIN(30s, "a wait for a message that is cancelled or late loses none", "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    for (int round = 0; round < 50; ++round)
    {
        waiting wait;
        wait.begin(executor, other.message<int>());
        co_await asio::post(executor, asio::use_awaitable);
        one.send(round);
        for (int turn = 0; turn < round % 4; ++turn)
            co_await asio::post(executor, asio::use_awaitable);
        wait.stop.emit(asio::cancellation_type::terminal);
        auto over = co_await eventually(5s, [&] { return wait.done + wait.failed == 1; });
        CHECK(over);
        if (wait.failed == 1)
        {
            auto kept = co_await other.message<int>();
            CHECK(kept == round);
        }
    }
    std::error_code late;
    try
    {
        co_await other.message<int>(1ms);
    }
    catch (const brood::error& error)
    {
        late = error.code();
    }
    CHECK(late == brood::errc::timed_out);
    one.send(51);
    auto next = co_await other.message<int>(5s);
    CHECK(next == 51);
}

TEST_WITHIN(10s, "a limit without an end is none", "[channel]")
{
    auto [one, other] = channel::pair();
    auto late = [](channel& to) -> task<>
    {
        co_await brood::sleep(20ms);
        to.send(1);
    };
    asio::co_spawn(brood::default_executor(), late(one), asio::detached);

    auto message = co_await other.message<int>(std::chrono::nanoseconds::max());

    CHECK(message == 1);
}

TEST_WITHIN(30s, "a message that races a timer under || is never lost", "[channel]")
{
    using namespace asio::experimental::awaitable_operators;
    auto [one, other] = channel::pair();
    asio::steady_timer sends(brood::default_executor()), gives_up(sends.get_executor());
    std::minstd_rand random(7);
    std::uniform_int_distribution<int> microseconds(0, 300);
    int in_time = 0, late = 0;
    for (int round = 0; round < 500; ++round)
    {
        sends.expires_after(std::chrono::microseconds(microseconds(random)));
        sends.async_wait([&to = one, round](std::error_code) { to.send(round); });
        gives_up.expires_after(std::chrono::microseconds(microseconds(random)));
        auto timer_first = round % 2 == 0;
        bool came = false;
        if (timer_first)
        {
            auto race = gives_up.async_wait(asio::use_awaitable) || other.message<int>();
            auto winner = co_await std::move(race);
            came = winner.index() == 1;
            if (came)
                CHECK(std::get<1>(winner) == round);
        }
        else
        {
            auto race = other.message<int>() || gives_up.async_wait(asio::use_awaitable);
            auto winner = co_await std::move(race);
            came = winner.index() == 0;
            if (came)
                CHECK(std::get<0>(winner) == round);
        }
        ++(came ? in_time : late);
        if (!came)
        {
            auto kept = co_await other.message<int>(5s);
            CHECK(kept == round);
        }
    }
    CHECK(in_time > 20);
    CHECK(late > 20);
}

TEST_WITHIN(10s, "each of many that wait for a message gets one, and the end comes to the others",
            "[channel]")
{
    auto [one, other] = channel::pair();
    std::vector<int> taken;
    std::size_t ends = 0;
    for (int count = 0; count < 5; ++count)
    {
        auto wait = other.message<int>();
        asio::co_spawn(brood::default_executor(), std::move(wait),
                       [&](std::exception_ptr thrown, std::optional<int> next)
                       {
                           CHECK_FALSE(thrown);
                           if (next)
                               taken.push_back(*next);
                           else
                               ++ends;
                       });
    }
    for (int number = 1; number <= 3; ++number)
        one.send(number);
    one.disconnect();
    auto all = co_await eventually(5s, [&] { return taken.size() + ends == 5; });
    CHECK(all);
    CHECK(taken == std::vector<int>{1, 2, 3});
    CHECK(ends == 2);
}

TEST_WITHIN(20s, "a drain waits until the other side has taken enough, and throws when it has gone",
            "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    std::string block(10'000, 'x');
    int sent = 0;
    for (bool room = true; room; ++sent)
    {
        room = one.send(block);
        co_await asio::post(executor, asio::use_awaitable);
    }
    CHECK(sent > 100); // what the other side reads without being asked is full as well
    waiting drain;
    drain.begin(executor, one.drain());
    co_await brood::sleep(20ms);
    CHECK(drain.done == 0);
    for (int taken = 0; taken < sent; ++taken)
    {
        auto next = co_await other.message<std::string>(5s);
        CHECK((next == block));
    }
    auto told = co_await eventually(5s, [&] { return drain.done == 1; });
    CHECK(told);

    for (int count = 0; count < 1000; ++count)
        one.send(block);
    drain.begin(executor, one.drain());
    co_await asio::post(executor, asio::use_awaitable);
    other = channel();
    auto failed = co_await eventually(5s, [&] { return drain.failed == 1; });
    CHECK(failed);
}

TEST_WITHIN(30s, "a message of just the default limit arrives, one byte more is refused at send",
            "[channel]")
{
    auto [one, other] = channel::pair();
    std::string longest((16U << 20) - 16, 'x');
    longest.append((16U << 20) - payload_bytes(longest).size(), 'x');
    one.send(longest);
    std::string text;
    try
    {
        one.send(longest + 'x');
    }
    catch (const brood::error& refused)
    {
        CHECK(refused.code() == brood::errc::too_large);
        text = refused.what();
    }
    CHECK_THAT(text, ContainsSubstring("16777217 bytes"));
    CHECK_THAT(text, ContainsSubstring("shared_bytes"));
    one.send(1);
    auto received = co_await other.message<std::string>();
    auto next = co_await other.message<int>();
    CHECK((received == longest));
    CHECK(next == 1);
}

TEST_WITHIN(20s, "a message above the limit takes no memory of its size before it is refused",
            "[channel]")
{
    auto [one, other] = channel::pair();
    std::string huge(std::size_t{256} << 20, 'x');
    auto before = allocations::total();
    try
    {
        one.send(huge);
        FAIL("it was sent");
    }
    catch (const brood::error& refused)
    {
        CHECK(refused.code() == brood::errc::too_large);
    }
    auto used = allocations::total() - before;

    CHECK(used.bytes < (std::size_t{1} << 20));
    one.send(1);
    auto number = co_await other.message<int>();
    CHECK(number == 1);
}

TEST_WITHIN(10s, "a message that its own type refuses ends the channel, and both sides learn why",
            "[channel]")
{
    auto [one, other] = channel::pair();
    one.send(refuses_seven{1});
    one.send(refuses_seven{7});
    one.send(2);
    auto first = co_await other.message<refuses_seven>();
    CHECK(first);
    auto reason = [](channel& from) -> task<std::string>
    {
        try
        {
            co_await from.message<int>(patient(5s));
        }
        catch (const brood::error& why)
        {
            co_return why.what();
        }
        co_return "nothing";
    };
    std::string refused;
    try
    {
        co_await other.message<refuses_seven>();
    }
    catch (const brood::error& why)
    {
        refused = why.what();
    }
    CHECK_THAT(refused, ContainsSubstring("seven is not for me"));
    auto here = co_await reason(other);
    auto there = co_await reason(one);

    CHECK(here == refused);
    CHECK_THAT(there, ContainsSubstring("it cannot read what it was sent"));
    CHECK_THAT(there, ContainsSubstring("seven is not for me"));
}

TEST_WITHIN(10s, "what is here already is taken without waiting", "[channel]")
{
    auto [one, other] = channel::pair();
    CHECK_FALSE(other.try_message<int>());
    one.send(1);
    auto readable = co_await other.readable();
    CHECK(readable);
    CHECK(other.try_message<int>() == 1);
    CHECK_FALSE(other.try_message<int>());
    one.disconnect();
    auto more = co_await other.readable();
    CHECK_FALSE(more);
}

TEST_WITHIN(10s, "an end is one direction: what the other side still sends is received",
            "[channel][node-12]")
{
    auto [one, other] = channel::pair();
    one.send(1);
    one.disconnect();
    one.disconnect(); // nothing happens
    CHECK_FALSE(one.connected());
    CHECK_THROWS_WITH(one.send(2), ContainsSubstring("after disconnect()"));
    auto first = co_await other.message<int>();
    auto end = co_await other.message<int>();
    CHECK(first == 1);
    CHECK_FALSE(end);
    CHECK_FALSE(other.connected());

    other.send(3);
    auto still = co_await one.message<int>();
    CHECK(still == 3);
}

TEST_WITHIN(10s, "an end is told to any number, before and after", "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    waiting all;
    all.begin(executor, one.disconnected());
    all.begin(executor, one.disconnected());
    co_await asio::post(executor, asio::use_awaitable);
    CHECK(all.done == 0);
    other = channel();
    auto both = co_await eventually(5s, [&] { return all.done == 2; });
    CHECK(both);
    co_await one.disconnected();
}

TEST_WITHIN(10s, "a send to a side that has gone is an error, and no signal", "[channel]")
{
    auto [one, other] = channel::pair();
    other = channel();
    std::error_code failed;
    try
    {
        for (;;)
        {
            one.send(1);
            co_await one.flush();
        }
    }
    catch (const brood::error& gone)
    {
        failed = gone.code();
    }
    CHECK(failed == brood::errc::closed);
    sigset_t pending;
    ::sigpending(&pending);
    CHECK(::sigismember(&pending, SIGPIPE) == 0);
}

TEST_WITHIN(10s, "a flush means that the kernel has it, and is never a success when it has not",
            "[channel][node-71]")
{
    auto [one, other] = channel::pair();
    one.send(1);
    co_await one.flush();

    std::string block(1 << 20, 'x');
    for (int count = 0; count < 10; ++count)
        one.send(block); // more than the kernel takes
    auto executor = co_await asio::this_coro::executor;
    waiting flush;
    flush.begin(executor, one.flush());
    co_await asio::post(executor, asio::use_awaitable);
    CHECK(flush.done == 0);
    other = channel();
    auto over = co_await eventually(5s, [&] { return flush.done + flush.failed == 1; });
    CHECK(over);
    CHECK(flush.failed == 1);
}

TEST_WITHIN(10s, "a flush that has failed fails for ever, however often the end is noticed",
            "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    channel one(executor, brood::descriptor(ends[0]), "a test");
    brood::descriptor(ends[1]).reset();
    one.send(1);
    int failed = 0;
    for (int count = 0; count < 3; ++count)
    {
        try
        {
            co_await one.flush();
        }
        catch (const brood::error& gone)
        {
            failed += gone.code() == brood::errc::closed ? 1 : 0;
        }
        co_await one.disconnected();
        co_await asio::post(executor, asio::use_awaitable);
    }
    CHECK(failed == 3);
}

TEST_WITHIN(10s, "what was sent arrives although the sender has gone", "[channel]")
{
    auto [one, other] = channel::pair();
    std::string block(1 << 20, 'x');
    for (int count = 0; count < 5; ++count)
        one.send(block);
    one = channel();
    for (int count = 0; count < 5; ++count)
    {
        auto received = co_await other.message<std::string>();
        CHECK((received == block));
    }
    auto end = co_await other.message<std::string>();
    CHECK_FALSE(end);
}

TEST_WITHIN(10s, "whoever waits is told when the channel itself goes", "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    waiting wait;
    wait.begin(executor, one.message<int>());
    wait.begin(executor, one.readable());
    wait.begin(executor, one.disconnected());
    wait.begin(executor, one.call<int>(1));
    co_await asio::post(executor, asio::use_awaitable);
    CHECK(wait.done + wait.failed == 0);
    one = channel();
    auto over = co_await eventually(5s, [&] { return wait.done + wait.failed == 4; });
    CHECK(over);
    CHECK(wait.done == 3);   // the end of the stream
    CHECK(wait.failed == 1); // a reply cannot come
}

TEST_WITHIN(10s, "a channel that is moved goes on", "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    waiting wait;
    wait.begin(executor, one.message<int>());
    co_await asio::post(executor, asio::use_awaitable);
    auto moved = std::move(one);
    other.send(1);
    auto came = co_await eventually(5s, [&] { return wait.done == 1; });
    CHECK(came);
    CHECK(moved.connected());
    CHECK_FALSE(one.connected());
    auto refused = co_await refusal<int>(one);
    CHECK(refused == brood::errc::no_channel);
}

TEST_WITHIN(10s, "what a value's own serialisation throws leaves nothing sent",
            "[channel][node-56]")
{
    auto [one, other] = channel::pair();
    CHECK_THROWS_AS(one.send(moody{true}), std::domain_error);
    one.send(5);
    auto next = co_await other.message<int>();
    CHECK(next == 5);
}

TEST_CASE("in steady state a message is sent and taken without an allocation", "[channel]")
{
    // One run(), as in brood::run(): Asio keeps the memory of its operations no longer.
    asio::io_context loop(1);
    brood::default_executor_scope scope(loop.get_executor());
    std::optional<allocations> used;
    auto measure = [&]() -> task<>
    {
        auto [one, other] = channel::pair();
        sixty_four block;
        for (int warm = 0; warm < 100; ++warm)
        {
            one.send(block);
            co_await other.message<sixty_four>();
        }
        auto before = allocations::total();
        for (int count = 0; count < 1000; ++count)
        {
            one.send(block);
            auto taken = co_await other.message<sixty_four>();
            if (!taken)
                co_return;
        }
        used = allocations::total() - before;
    };
    asio::co_spawn(loop, measure, asio::detached);
    loop.run();

    REQUIRE(used);
    CHECK(used->count == 0);
}

TEST_WITHIN(10s, "what is sent in one turn of the loop is written at its end, all together",
            "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    brood::descriptor raw(ends[1]);
    channel one(executor, brood::descriptor(ends[0]), "a test");
    auto arrived = [&raw]
    {
        std::array<char, 4096> bytes{};
        auto count = ::recv(raw.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        return std::string(bytes.data(), static_cast<std::size_t>(count > 0 ? count : 0));
    };
    co_await one.flush(); // the hello
    arrived();

    one.send(std::string("first"));
    one.send(std::string("second"));
    CHECK(arrived().empty());
    co_await asio::post(executor, asio::use_awaitable);

    auto text = arrived();
    CHECK_THAT(text, ContainsSubstring("first"));
    CHECK_THAT(text, ContainsSubstring("second"));
}

TEST_WITHIN(10s, "who asks for a message that is here goes on in the same turn of the loop",
            "[channel]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    one.send(1);
    one.send(2);
    co_await other.readable();
    bool others_ran = false;
    asio::post(executor, [&others_ran] { others_ran = true; });

    auto first = co_await other.message<int>();
    auto can_read = co_await other.readable();
    auto second = co_await other.message<int>(1h);

    CHECK(first == 1);
    CHECK(can_read);
    CHECK(second == 2);
    CHECK_FALSE(others_ran);
}

TEST_WITHIN(10s, "once the other side has gone, all that it sent can be taken without waiting",
            "[channel]")
{
    auto [one, other] = channel::pair();
    for (int number = 0; number < 1000; ++number)
        one.send(number);
    one = channel();
    co_await other.disconnected();

    for (int number = 0; number < 1000; ++number)
        CHECK(other.try_message<int>() == number);
    CHECK_FALSE(other.try_message<int>());
    auto can_read = co_await other.readable();
    CHECK_FALSE(can_read);
    CHECK_THROWS_AS(other.send(1), brood::error);
}

TEST_WITHIN(10s, "a channel that another is assigned to is closed behind what it sent", "[channel]")
{
    auto [one, other] = channel::pair();
    auto [next, its_other] = channel::pair();
    one.send(1);

    one = std::move(next);
    one.send(2);

    auto first = co_await other.message<int>();
    auto end = co_await other.message<int>();
    auto second = co_await its_other.message<int>();
    CHECK(first == 1);
    CHECK_FALSE(end);
    CHECK(second == 2);
}

TEST_WITHIN(10s, "a message that is tried for with the wrong type stays, as with message()",
            "[channel]")
{
    auto [one, other] = channel::pair();
    one.send(1);
    co_await other.readable();

    CHECK_THROWS_WITH(other.try_message<point>(), ContainsSubstring("point"));
    CHECK(other.try_message<int>() == 1);
    CHECK_FALSE(other.try_message<point>());
}

TEST_WITHIN(10s, "a message that is refused leaves room and order as they were", "[channel]")
{
    channel_limits limits;
    limits.max_message = 1000;
    auto [one, other] = channel::pair(limits);
    one.send(1);
    CHECK_THROWS_AS(one.send(std::string(2000, 'x')), brood::error);
    CHECK_THROWS_AS(one.send(2, brood::descriptor()), std::system_error);
    CHECK_THROWS_AS(one.send(moody{true}), std::domain_error);
    one.send(3);
    co_await one.flush();

    auto first = co_await other.message<int>();
    auto second = co_await other.message<int>();
    CHECK(first == 1);
    CHECK(second == 3);
    CHECK(one.undelivered().empty());
    CHECK(one.connected());
}

TEST_CASE("being abandoned at any step leaves nothing", "[channel]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            auto [one, other] = channel::pair();
            one.send(std::string(200'000, 'x'));
            auto text = co_await other.message<std::string>();
            other.send(1);
            one.disconnect();
            auto number = co_await one.message<int>();
            auto end = co_await other.message<int>();
            CHECK((text && number && !end));
            co_await one.flush();
        });
}
