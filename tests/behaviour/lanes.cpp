// SPDX-License-Identifier: BSL-1.0
// Messages, requests, replies and what a cluster says share one socket, and whatever nobody takes
// on one of these lanes does not stop the others.
#include <brood/wire/channel.hpp>

#include <brood/base/loop.hpp>
#include <brood/wire/frame.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"
#include "support/within.hpp"

#include <asio/post.hpp>

#include <fcntl.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::channel;
using brood::channel_limits;
using brood::descriptor;
using brood::frame_kind;
using brood::task;

namespace
{

int length(const std::string& text)
{
    return static_cast<int>(text.size());
}

channel_limits narrow()
{
    channel_limits limits;
    limits.incoming_high_water = 50'000;
    return limits;
}

/// Serves calls in the background until the channel ends.
void serve_lengths(channel& by)
{
    auto serving = by.serve(length);
    asio::co_spawn(brood::default_executor(), std::move(serving), asio::detached);
}

task<> send_texts(channel& to, int count)
{
    std::string text(1000, 'x');
    for (int number = 0; number < count; ++number)
    {
        auto room = to.send(text);
        if (!room)
            co_await to.drain();
    }
}

task<int> take_texts(channel& from, int count)
{
    for (int number = 0; number < count; ++number)
    {
        auto text = co_await from.message<std::string>(patient(5s));
        if (!text || text->size() != 1000)
            co_return number;
    }
    co_return count;
}

/// A channel whose lane for control can be reached.
struct end_of_channel : channel
{
    explicit end_of_channel(channel&& from) : channel(std::move(from)) {}

    using channel::link;
};

/// Both ends have sent more messages, and more requests, than the other may have unread.
struct both_full
{
    explicit both_full(channel_limits limits)
    {
        auto [left, right] = channel::pair(limits);
        one.emplace(std::move(left));
        other.emplace(std::move(right));
        for (auto end : {&*one, &*other})
            fill(*end);
    }

    void fill(end_of_channel& end)
    {
        std::string text(10'000, 'x');
        for (int number = 0; number < 100; ++number)
        {
            end.send(text);
            calls.push_back(end.call<int>(text, patient(60s)));
        }
    }

    std::vector<task<int>> calls;
    std::optional<end_of_channel> one;
    std::optional<end_of_channel> other;
};

descriptor null_device()
{
    return descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

task<int> take_descriptors(channel& from, int count)
{
    for (int number = 0; number < count; ++number)
    {
        auto came = co_await from.message<brood::carrying<int, descriptor>>(patient(5s));
        if (!came || came->message != number || !came->object())
            co_return number;
    }
    co_return count;
}

} // namespace

TEST_WITHIN(30s, "control gets through although messages and requests are full both ways",
            "[lanes]")
{
    both_full of(narrow());
    co_await brood::sleep(50ms);
    auto began = std::chrono::steady_clock::now();
    for (auto [from, to] : {std::pair{&*of.one, &*of.other}, std::pair{&*of.other, &*of.one}})
    {
        brood::detail::send_control(*from->link(), std::string("listen"), null_device());
        auto word = co_await brood::detail::next_control<brood::carrying<std::string, descriptor>>(
            to->link());
        REQUIRE(word);
        CHECK(word->message == "listen");
        CHECK(word->object());
    }

    CHECK(std::chrono::steady_clock::now() - began < patient(1s));
}

TEST_WITHIN(30s, "messages get through although requests are full, and the other way round",
            "[lanes]")
{
    channel_limits limits = narrow();
    auto [one, other] = channel::pair(limits);
    std::string text(10'000, 'x');
    std::vector<task<int>> calls;
    for (int number = 0; number < 100; ++number)
        calls.push_back(one.call<int>(text, patient(60s)));
    co_await brood::sleep(20ms);
    one.send(7);
    auto number = co_await other.message<int>(patient(1s));
    CHECK(number == 7);

    auto executor = co_await asio::this_coro::executor;
    auto flood = send_texts(other, 2000);
    asio::co_spawn(executor, std::move(flood), asio::detached);
    serve_lengths(one);
    co_await brood::sleep(20ms);
    auto reply = co_await other.call<int>(std::string(9, 'x'), patient(1s));
    CHECK(reply == 9);
}

TEST_WITHIN(30s, "both sides send more descriptors than may be under way, before either takes one",
            "[lanes]")
{
    auto [one, other] = channel::pair();
    for (int number = 0; number < 600; ++number)
    {
        one.send(number, null_device());
        other.send(number, null_device());
    }
    auto first = co_await take_descriptors(one, 600);
    auto second = co_await take_descriptors(other, 600);

    CHECK(first == 600);
    CHECK(second == 600);
    co_await one.drain();
    CHECK(one.undelivered().empty());
}

TEST_WITHIN(30s, "what is sent waits for its taker, and leaves when the channel is dropped",
            "[lanes]")
{
    auto [left, right] = channel::pair(narrow());
    channel taker = std::move(right);
    std::string text(1000, 'x');
    {
        channel sender = std::move(left);
        for (int number = 0; number < 2000; ++number)
            sender.send(text);
        taker.send(std::string(100'000, 'y')); // nobody will take it
    }
    auto taken = co_await take_texts(taker, 2000);
    auto end = co_await taker.message<std::string>(patient(5s));

    CHECK(taken == 2000);
    CHECK_FALSE(end);
}

TEST_WITHIN(20s, "both sides go with more under way than may be unread, and neither stays for that",
            "[lanes]")
{
    co_await brood::sleep(1ms); // the loop has its timer
    auto before = open_descriptors().size();
    {
        auto [one, other] = channel::pair(narrow());
        std::string text(1000, 'x');
        for (int number = 0; number < 2000; ++number)
        {
            one.send(text);
            other.send(text);
        }
        co_await brood::sleep(1ms);
    }
    auto gone = co_await eventually(10s, [&] { return open_descriptors().size() == before; });
    CHECK(gone);
}

TEST_WITHIN(10s, "all that an ended process left in its socket can be taken", "[lanes]")
{
    auto [ours, theirs] = brood::detail::local_pair();
    auto bytes = hello_bytes();
    for (int number = 0; number < 150; ++number)
        bytes += message_bytes(std::string(1000, 'x'));
    auto sent = ::send(theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    REQUIRE(sent == static_cast<ssize_t>(bytes.size()));
    auto executor = co_await asio::this_coro::executor;
    end_of_channel end(channel(executor, std::move(ours), "process 4711"));
    end.link()->expect_exit();
    end.link()->peer_exited(); // before anything was read; its own child has the socket still

    auto taken = co_await take_texts(end, 150);
    CHECK(taken == 150);
}

TEST_WITHIN(30s, "both sides disconnect with more under way than may be unread, and all is taken",
            "[lanes]")
{
    auto [one, other] = channel::pair(narrow());
    std::string text(1000, 'x');
    for (int number = 0; number < 2000; ++number)
    {
        one.send(text);
        other.send(text);
    }
    one.disconnect();
    co_await brood::sleep(5ms);
    auto first = co_await take_texts(other, 2000);
    auto end = co_await other.message<std::string>(patient(5s));
    CHECK(first == 2000);
    CHECK_FALSE(end);
    other.disconnect();

    auto second = co_await take_texts(one, 2000);
    end = co_await one.message<std::string>(patient(5s));
    CHECK(second == 2000);
    CHECK_FALSE(end);
}

TEST_WITHIN(20s, "a call is answered although more messages wait than are read", "[lanes]")
{
    auto [one, other] = channel::pair(narrow());
    serve_lengths(other);
    auto executor = co_await asio::this_coro::executor;
    auto flood = send_texts(other, 2000);
    asio::co_spawn(executor, std::move(flood), asio::detached);
    auto readable = co_await one.readable();
    CHECK(readable);
    co_await brood::sleep(50ms);
    std::string text(7, 'x');

    auto reply = co_await one.call<int>(text, patient(5s));

    CHECK(reply == 7);
    auto taken = co_await take_texts(one, 2000);
    CHECK(taken == 2000);
}

TEST_WITHIN(20s, "a call is answered behind disconnect() although more messages wait than are read",
            "[lanes]")
{
    auto [one, other] = channel::pair(narrow());
    auto talk = [to = &other](const std::string& text)
    {
        for (int number = 0; number < 200; ++number)
            to->send(std::string(1000, 'x'));
        return length(text);
    };
    auto executor = co_await asio::this_coro::executor;
    auto serving = other.serve(talk);
    asio::co_spawn(executor, std::move(serving), asio::detached);
    std::string text(7, 'x');
    auto asked = one.call<int>(text, patient(5s));
    one.disconnect();

    auto reply = co_await std::move(asked);
    CHECK(reply == 7);
    auto taken = co_await take_texts(one, 200);
    CHECK(taken == 200);
}

TEST_WITHIN(30s, "calls go on beside a message that nobody takes", "[lanes]")
{
    auto [one, other] = channel::pair(narrow());
    serve_lengths(other);
    one.send(std::string("nobody takes this"));
    std::string text(1000, 'x');
    int answered = 0;
    for (; answered < 500; ++answered)
        co_await one.call<int>(text, patient(5s));

    CHECK(answered == 500);
    auto kept = co_await other.message<std::string>();
    CHECK(kept == "nobody takes this");
}

TEST_WITHIN(30s, "messages go on beside a request that nobody serves yet", "[lanes]")
{
    auto [one, other] = channel::pair(narrow());
    std::string text(7, 'x');
    auto reply = one.call<int>(text, patient(20s));
    auto executor = co_await asio::this_coro::executor;
    auto stream = send_texts(one, 500);
    asio::co_spawn(executor, std::move(stream), asio::detached);

    auto taken = co_await take_texts(other, 500);

    CHECK(taken == 500);
    serve_lengths(other);
    auto length_of_it = co_await std::move(reply);
    CHECK(length_of_it == 7);
}

TEST_WITHIN(30s, "messages go on beside a control frame that nobody asked for", "[lanes]")
{
    auto [left, right] = brood::detail::local_pair();
    channel ours(brood::default_executor(), std::move(left), "raw", narrow());
    auto bytes = hello_bytes() + frame_bytes({0, frame_kind::control, 0, 0, 1, 1}, "forged");
    int taken = 0;
    for (; taken < 500; ++taken)
    {
        bytes += message_bytes(std::string(1000, 'x'));
        ::send(right.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        bytes.clear();
        co_await ours.message<std::string>(patient(5s));
    }

    CHECK(taken == 500);
}

TEST_WITHIN(20s, "what waits on every lane is still limited", "[lanes]")
{
    auto [one, other] = channel::pair(narrow());
    std::string text(1000, 'x');
    int sent = 0;
    while (one.send(text))
        ++sent;
    auto readable = co_await other.readable();
    CHECK(readable);
    // What is not taken stays with the sender, who is never told that there is room.
    bool drained = false;
    auto executor = co_await asio::this_coro::executor;
    for (bool room = true; room; ++sent)
    {
        room = one.send(text);
        co_await asio::post(executor, asio::use_awaitable);
    }
    auto drain = one.drain();
    asio::co_spawn(executor, std::move(drain), [&](std::exception_ptr) { drained = true; });
    co_await brood::sleep(50ms);
    CHECK_FALSE(drained);

    int taken = 0;
    while (other.try_message<std::string>())
        ++taken;
    CHECK(taken > 0);
    while (taken < sent)
    {
        auto next = co_await other.message<std::string>(patient(5s));
        taken += next ? 1 : 0;
    }
    auto told = co_await eventually(5s, [&] { return drained; });
    CHECK(told);
}
