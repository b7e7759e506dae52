// SPDX-License-Identifier: BSL-1.0
// Messages, requests, replies and what a cluster says share one socket, and whatever nobody takes
// on one of these lanes does not stop the others.
#include <brood/wire/channel.hpp>

#include <brood/base/loop.hpp>
#include <brood/wire/frame.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/frames.hpp"
#include "support/within.hpp"

#include <asio/post.hpp>

#include <sys/socket.h>

#include <string>
#include <utility>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::channel;
using brood::channel_limits;
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

} // namespace

TEST_WITHIN(20s, "a call is answered although more messages wait than are read", "[lanes]")
{
    auto [one, other] = channel::pair(narrow());
    serve_lengths(other);
    auto executor = co_await asio::this_coro::executor;
    auto flood = send_texts(other, 2000);
    asio::co_spawn(executor, std::move(flood), asio::detached);
    // The reader stops: what it does not take fills the socket.
    auto readable = co_await one.readable();
    CHECK(readable);
    co_await brood::sleep(50ms);
    std::string text(7, 'x');

    auto reply = co_await one.call<int>(text, patient(5s));

    CHECK(reply == 7);
    auto taken = co_await take_texts(one, 2000);
    CHECK(taken == 2000);
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
