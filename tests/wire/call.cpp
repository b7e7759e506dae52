// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/call.hpp>

#include <brood/base/loop.hpp>
#include <brood/wire/channel.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::channel;
using brood::channel_limits;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

int square(int number)
{
    return number * number;
}

task<std::string> slowly(std::string text)
{
    co_await brood::sleep(std::chrono::milliseconds(text.size()));
    co_return text + '!';
}

double never(double)
{
    throw std::domain_error("never");
}

/// Works until it is cancelled, and counts that.
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

/// Two ends, of which the other serves calls.
struct served
{
    std::pair<channel, channel> both;
    channel& one = both.first;
    channel& other = both.second;
    bool has_ended = false;

    explicit served(const channel_limits& limits = {}) : both(channel::pair(limits)) {}

    template <class... Handlers>
    void serve(Handlers... handlers)
    {
        auto serving = other.serve(handlers...);
        asio::co_spawn(brood::default_executor(), std::move(serving),
                       [this](std::exception_ptr) { has_ended = true; });
    }
};

template <class Reply, class Request>
task<std::string> refusal(channel& by, Request request)
{
    try
    {
        co_await by.call<Reply>(request);
    }
    catch (const brood::error& wrong)
    {
        co_return wrong.what();
    }
    co_return "a reply";
}

} // namespace

TEST_WITHIN(10s, "a call gives the reply of the handler that takes its type", "[call]")
{
    served by;
    by.serve(square, slowly);
    int number = 12;
    std::string text = "hello";
    auto squared = co_await by.one.call<int>(number);
    auto shouted = co_await by.one.call<std::string>(text);

    CHECK(squared == 144);
    CHECK(shouted == "hello!");
}

TEST_WITHIN(20s, "many calls are under way at once, and replies come in any order", "[call]")
{
    served by;
    by.serve(slowly);
    auto executor = co_await asio::this_coro::executor;
    std::vector<std::size_t> order;
    for (std::size_t size : {60U, 40U, 20U, 1U})
    {
        std::string text(size, 'x');
        auto call = by.one.call<std::string>(text);
        asio::co_spawn(executor, std::move(call),
                       [&](std::exception_ptr, const std::string& reply)
                       { order.push_back(reply.size() - 1); });
    }
    auto all = co_await eventually(10s, [&] { return order.size() == 4; });

    CHECK(all);
    CHECK(order == std::vector<std::size_t>{1, 20, 40, 60});
}

TEST_WITHIN(10s, "both sides call at once, and a handler may call back", "[call]")
{
    auto [one, other] = channel::pair();
    auto executor = co_await asio::this_coro::executor;
    auto back = [](channel& to, int number) -> task<int>
    {
        double half = number / 2.0;
        auto doubled = co_await to.call<double>(half);
        co_return static_cast<int>(doubled);
    };
    auto calls_back = [&, &there = other](int number)
    {
        return back(there, number);
    };
    auto twice = [](double number)
    {
        return 4 * number;
    };
    auto first = other.serve(calls_back);
    auto second = one.serve(twice);
    asio::co_spawn(executor, std::move(first), asio::detached);
    asio::co_spawn(executor, std::move(second), asio::detached);
    int number = 21;
    auto answer = co_await one.call<int>(number);

    CHECK(answer == 42);
}

TEST_WITHIN(10s, "what a handler throws arrives with its type and text", "[call]")
{
    served by;
    by.serve(never, square);
    double request = 1;
    std::string type, message;
    try
    {
        co_await by.one.call<double>(request);
    }
    catch (const brood::remote_error& thrown)
    {
        type = thrown.type();
        message = thrown.message();
        CHECK(thrown.code() == brood::errc::failed);
    }
    CHECK(type == "std::domain_error");
    CHECK(message == "never");
    int number = 3;
    auto still = co_await by.one.call<int>(number);
    CHECK(still == 9);
}

TEST_WITHIN(10s, "a request without a handler, and a reply of another type, are told", "[call]")
{
    served by;
    by.serve(square);
    auto unknown = co_await refusal<int>(by.one, std::string("text"));
    auto other_type = co_await refusal<std::string>(by.one, 3);

    CHECK_THAT(unknown, ContainsSubstring("no handler for std::string"));
    CHECK_THAT(other_type, ContainsSubstring("std::string was expected"));
}

TEST_WITHIN(10s, "a call that takes too long is given up, and its handler is cancelled", "[call]")
{
    served by;
    int cancelled = 0;
    by.serve([&](int) { return for_ever(cancelled); });
    int number = 1;
    std::error_code late;
    try
    {
        co_await by.one.call<int>(number, 5ms);
    }
    catch (const brood::error& error)
    {
        late = error.code();
    }
    CHECK(late == brood::errc::timed_out);
    auto told = co_await eventually(5s, [&] { return cancelled == 1; });
    CHECK(told);
}

TEST_WITHIN(10s, "every call ends at once when the other side goes", "[call]")
{
    served by;
    by.serve(slowly);
    auto executor = co_await asio::this_coro::executor;
    int closed = 0;
    for (int count = 0; count < 10; ++count)
    {
        std::string text(5000, 'x');
        auto call = by.one.call<std::string>(text);
        asio::co_spawn(executor, std::move(call),
                       [&](std::exception_ptr thrown, const std::string&)
                       { closed += thrown != nullptr; });
    }
    co_await brood::sleep(5ms);
    CHECK(closed == 0);
    by.other = channel();
    auto all = co_await eventually(2s, [&] { return closed == 10; });
    CHECK(all);
    auto later = co_await refusal<int>(by.one, 1);
    CHECK_THAT(later, ContainsSubstring("gone"));
}

TEST_WITHIN(20s, "no more handlers run at once than are allowed, and the others wait", "[call]")
{
    channel_limits limits;
    limits.max_calls = 3;
    served by(limits);
    int running = 0, most = 0;
    auto count = [](int& now, int& peak) -> task<int>
    {
        peak = std::max(peak, ++now);
        co_await brood::sleep(2ms);
        --now;
        co_return 0;
    };
    by.serve([&](int) { return count(running, most); });
    auto executor = co_await asio::this_coro::executor;
    int done = 0;
    for (int number = 0; number < 20; ++number)
    {
        auto call = by.one.call<int>(number);
        asio::co_spawn(executor, std::move(call), [&](std::exception_ptr, int) { ++done; });
    }
    auto all = co_await eventually(10s, [&] { return done == 20; });

    CHECK(all);
    CHECK(most == 3);
}

TEST_WITHIN(10s, "a serve ends with the channel, after the replies that are under way", "[call]")
{
    served by;
    by.serve(slowly);
    std::string text(20, 'x');
    auto call = by.one.call<std::string>(text);
    by.one.disconnect();
    auto reply = co_await std::move(call);
    CHECK(reply == text + '!');
    auto ended = co_await eventually(5s, [&] { return by.has_ended; });
    CHECK(ended);
}

TEST_WITHIN(10s, "a call may return nothing", "[call]")
{
    served by;
    int seen = 0;
    by.serve([&](int number) { seen = number; });
    int number = 8;
    co_await by.one.call<void>(number);
    CHECK(seen == 8);
}

TEST_WITHIN(30s, "a thousand calls are under way both ways at once", "[call]")
{
    served by;
    by.serve(square, slowly);
    auto executor = co_await asio::this_coro::executor;
    auto back = by.one.serve(square);
    asio::co_spawn(executor, std::move(back), asio::detached);
    int right = 0, ended = 0;
    for (int number = 0; number < 1000; ++number)
        for (auto from : {&by.one, &by.other})
        {
            auto call = from->call<int>(number);
            asio::co_spawn(executor, std::move(call),
                           [&, number](std::exception_ptr, int reply)
                           {
                               ++ended;
                               right += reply == number * number;
                           });
        }
    auto all = co_await eventually(20s, [&] { return ended == 2000; });

    CHECK(all);
    CHECK(right == 2000);
}

TEST_WITHIN(10s, "a call that loses under || is given up, and its handler is cancelled", "[call]")
{
    using namespace asio::experimental::awaitable_operators;
    served by;
    int cancelled = 0;
    by.serve([&](int) { return for_ever(cancelled); }, slowly);
    for (int round = 1; round <= 50; ++round)
    {
        auto race = by.one.call<int>(round) || brood::sleep(1ms);
        auto winner = co_await std::move(race);
        CHECK(winner.index() == 1);
    }
    auto told = co_await eventually(5s, [&] { return cancelled == 50; });
    CHECK(told);
    std::string text = "still";
    auto reply = co_await by.one.call<std::string>(text);
    CHECK(reply == "still!");
}

TEST_WITHIN(10s, "a request that is given up before its handler began is never begun", "[call]")
{
    channel_limits limits;
    limits.max_calls = 1;
    served by(limits);
    std::vector<int> begun;
    int ended = 0;
    auto note = [](std::vector<int>& to, int& given_up, int number) -> task<int>
    {
        to.push_back(number);
        while (given_up == 0)
            co_await brood::sleep(1ms);
        co_await brood::sleep(20ms); // until that is known here
        co_return number;
    };
    by.serve([&](int number) { return note(begun, ended, number); });
    auto executor = co_await asio::this_coro::executor;
    auto begin = [&](int number, clock::duration limit)
    {
        auto call = by.one.call<int>(number, limit);
        asio::co_spawn(executor, std::move(call), [&](std::exception_ptr, int) { ++ended; });
    };
    begin(1, patient(5s));
    begin(2, 2ms);
    begin(3, patient(5s));
    auto all = co_await eventually(5s, [&] { return ended == 3; });

    CHECK(all);
    CHECK(begun == std::vector<int>{1, 3});
}

TEST_WITHIN(10s, "a call that nobody awaits is sent, and cancelled when it is dropped", "[call]")
{
    served by;
    int cancelled = 0, begun = 0;
    by.serve(
        [&](int)
        {
            ++begun;
            return for_ever(cancelled);
        });
    {
        auto dropped = by.one.call<int>(1);
        auto came = co_await eventually(5s, [&] { return begun == 1; });
        CHECK(came);
        CHECK(cancelled == 0);
    }
    auto told = co_await eventually(5s, [&] { return cancelled == 1; });
    CHECK(told);
}

TEST_WITHIN(10s, "a serve that is cancelled cancels its handlers, and another one goes on",
            "[call]")
{
    auto executor = co_await asio::this_coro::executor;
    auto [one, other] = channel::pair();
    int cancelled = 0, begun = 0;
    auto hang = [&](int)
    {
        ++begun;
        return for_ever(cancelled);
    };
    asio::cancellation_signal stop;
    bool ended = false;
    auto first = other.serve(hang);
    auto done = [&](std::exception_ptr)
    {
        ended = true;
    };
    asio::co_spawn(executor, std::move(first), asio::bind_cancellation_slot(stop.slot(), done));
    auto hanging = one.call<int>(1), another = one.call<int>(2);
    auto came = co_await eventually(5s, [&] { return begun == 2; });
    CHECK(came);
    stop.emit(asio::cancellation_type::terminal);
    auto stopped = co_await eventually(5s, [&] { return ended && cancelled == 2; });
    CHECK(stopped);

    auto second = other.serve(square);
    asio::co_spawn(executor, std::move(second), asio::detached);
    int number = 4;
    auto reply = co_await one.call<int>(number);
    CHECK(reply == 16);
}

TEST_WITHIN(10s, "a reply that cannot be sent, and whatever is thrown, is told to the caller",
            "[call]")
{
    channel_limits limits;
    limits.max_message = 1000;
    served by(limits);
    auto long_reply = [](int length)
    {
        return std::string(static_cast<std::size_t>(length), 'x');
    };
    auto long_text = [](double) -> int
    {
        throw std::runtime_error(std::string(5000, 'y'));
    };
    auto number_thrown = [](bool) -> int
    {
        throw 42;
    };
    by.serve(long_reply, long_text, number_thrown);
    auto too_long = co_await refusal<std::string>(by.one, 2000);
    auto text_too_long = co_await refusal<int>(by.one, 1.0);
    auto no_exception = co_await refusal<int>(by.one, true);
    int short_enough = 5;
    auto still = co_await by.one.call<std::string>(short_enough);

    CHECK_THAT(too_long, ContainsSubstring("threw brood::error"));
    CHECK_THAT(too_long, ContainsSubstring("at most 1000"));
    CHECK_THAT(text_too_long, ContainsSubstring("threw std::runtime_error: yyyy"));
    CHECK_THAT(no_exception, ContainsSubstring("threw unknown: an exception of unknown type"));
    CHECK(still == "xxxxx");
}

TEST_CASE("being abandoned at any step of a call leaves nothing", "[call]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            auto [one, other] = channel::pair();
            auto executor = co_await asio::this_coro::executor;
            auto serving = other.serve(square, slowly);
            asio::co_spawn(executor, std::move(serving), asio::detached);
            other.send(7);
            std::string text = "ab";
            auto first = one.call<std::string>(text);
            int number = 3;
            auto second = co_await one.call<int>(number);
            auto message = co_await one.message<int>();
            auto shouted = co_await std::move(first);
            CHECK((second == 9 && message == 7 && shouted == "ab!"));
            one.disconnect();
            co_await other.disconnected();
        });
}

namespace
{

/// Two channels and a coroutine between them that counts what one side writes with one call: each
/// is a record of these sockets.
class counted_pair
{
public:
    counted_pair()
    {
        auto [one, near_one] = records();
        auto [other, near_other] = records();
        both = {channel(brood::default_executor(), std::move(one), "a test"),
                channel(brood::default_executor(), std::move(other), "a test")};
        auto ends = std::make_shared<std::pair<stream, stream>>(
            stream(brood::default_executor(), near_one.release()),
            stream(brood::default_executor(), near_other.release()));
        auto there = hand_on(ends, ends->first, ends->second, requests);
        auto back = hand_on(ends, ends->second, ends->first, replies);
        asio::co_spawn(brood::default_executor(), std::move(there), asio::detached);
        asio::co_spawn(brood::default_executor(), std::move(back), asio::detached);
    }

    std::pair<channel, channel> both;
    std::shared_ptr<int> requests = std::make_shared<int>(0);
    std::shared_ptr<int> replies = std::make_shared<int>(0);

private:
    using stream = asio::posix::stream_descriptor;

    static std::pair<brood::descriptor, brood::descriptor> records()
    {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
        return {brood::descriptor(ends[0]), brood::descriptor(ends[1])};
    }

    static task<> hand_on(std::shared_ptr<std::pair<stream, stream>>, stream& from, stream& to,
                          std::shared_ptr<int> count)
    {
        std::vector<char> bytes(std::size_t{1} << 16);
        for (;;)
        {
            co_await from.async_wait(stream::wait_read, asio::use_awaitable);
            auto size = ::recv(from.native_handle(), bytes.data(), bytes.size(), 0);
            if (size <= 0)
                break;
            ++*count;
            ::send(to.native_handle(), bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
        }
        ::shutdown(to.native_handle(), SHUT_WR);
    }
};

task<> call_again_and_again(channel& by, int times)
{
    for (int number = 0; number < times; ++number)
    {
        auto reply = co_await by.call<int>(number);
        CHECK(reply == number * number);
    }
}

/// How many calls that are under way at once share one write, both ways.
template <class Handler>
task<> check_that_calls_leave_together(Handler handler)
{
    auto executor = co_await asio::this_coro::executor;
    counted_pair by;
    auto& [one, other] = by.both;
    auto serving = other.serve(handler);
    asio::co_spawn(executor, std::move(serving), asio::detached);
    constexpr int callers = 16, times = 20;
    int running = callers;
    for (int each = 0; each < callers; ++each)
    {
        auto calls = call_again_and_again(one, times);
        asio::co_spawn(executor, std::move(calls), [&](std::exception_ptr) { --running; });
    }
    auto all = co_await eventually(10s, [&] { return running == 0; });

    CHECK(all);
    // A process that stands still in between sends what it has.
    CHECK(*by.requests <= callers * times / 4);
    CHECK(*by.replies <= callers * times / 4);
}

} // namespace

TEST_WITHIN(20s, "calls that are under way at once leave together, and so do their replies",
            "[call]")
{
    co_await check_that_calls_leave_together(square);
}

TEST_WITHIN(20s, "calls and replies leave together also when the handlers are coroutines", "[call]")
{
    auto later = [](int number) -> task<int>
    {
        auto executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, asio::use_awaitable);
        co_return number* number;
    };
    co_await check_that_calls_leave_together(later);
}

TEST_WITHIN(20s, "handlers that take their time let the loop go on, and their replies leave",
            "[call]")
{
    served by;
    int handled = 0;
    by.serve(
        [&](int number)
        {
            for (auto until = std::chrono::steady_clock::now() + 2ms;
                 std::chrono::steady_clock::now() < until;)
                continue;
            ++handled;
            return number;
        });
    auto executor = co_await asio::this_coro::executor;
    int handled_at_first = 0, ended = 0;
    for (int number = 0; number < 50; ++number)
    {
        auto call = by.one.call<int>(number);
        asio::co_spawn(executor, std::move(call),
                       [&](std::exception_ptr, int)
                       {
                           if (++ended == 1)
                               handled_at_first = handled;
                       });
    }
    auto all = co_await eventually(10s, [&] { return ended == 50; });

    CHECK(all);
    CHECK(handled_at_first < 10);
}
