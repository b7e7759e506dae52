// SPDX-License-Identifier: BSL-1.0
#include <brood/base/task.hpp>

#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>

#include <exception>
#include <functional>
#include <system_error>

using namespace brood;
using namespace std::chrono_literals;

TEST_CASE("a task starts when it is awaited and gives its value", "[task]")
{
    bool started = false;
    auto seven = [](bool& flag) -> task<int>
    {
        flag = true;
        co_return 7;
    };

    within(5s,
           [&]() -> task<>
           {
               auto waiting = seven(started);
               CHECK_FALSE(started);

               auto value = co_await std::move(waiting);

               CHECK(value == 7);
               CHECK(started);
           });
}

TEST_WITHIN(5s, "sleep() suspends for the time and lets others run", "[task]")
{
    bool others_ran = false;
    auto executor = co_await asio::this_coro::executor;
    asio::post(executor, [&others_ran] { others_ran = true; });
    auto begin = std::chrono::steady_clock::now();

    co_await sleep(20ms);

    CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
    CHECK(others_ran);
}

TEST_CASE("sleep() can lose a race and leaves nothing behind", "[task]")
{
    using namespace asio::experimental::awaitable_operators;

    within(5s,
           []() -> task<>
           {
               auto winner = co_await (sleep(1h) || sleep(1ms));

               CHECK(winner.index() == 1);
           });
}

TEST_WITHIN(5s, "a cancelled sleep() throws operation_aborted at once", "[task]")
{
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    std::exception_ptr thrown;
    auto over = false;
    auto sleeping = sleep(1h);
    auto note = [&](std::exception_ptr why)
    {
        thrown = why;
        over = true;
    };
    asio::co_spawn(executor, std::move(sleeping), asio::bind_cancellation_slot(stop.slot(), note));
    co_await sleep(1ms);
    CHECK_FALSE(over);

    stop.emit(asio::cancellation_type::terminal);
    co_await sleep(0ms);
    co_await sleep(0ms);
    REQUIRE(over);
    REQUIRE(thrown);
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const std::system_error& cancelled)
    {
        CHECK(cancelled.code() == asio::error::operation_aborted);
    }
}

TEST_WITHIN(5s, "a sleep() of no time, or less, lets the others have one turn", "[task]")
{
    auto executor = co_await asio::this_coro::executor;
    for (auto time : {0ms, -1ms})
    {
        int turns = 0;
        std::function<void()> again = [&]
        {
            if (++turns < 100)
                asio::post(executor, again);
        };
        asio::post(executor, again);
        co_await sleep(time);
        CHECK(turns >= 1);
        CHECK(turns < 10);
        while (turns < 100)
            co_await sleep(0ms);
    }
}

TEST_CASE("sleep() may be abandoned at every step", "[task]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            co_await sleep(0ms);
            co_await sleep(1ms);
        });
}
