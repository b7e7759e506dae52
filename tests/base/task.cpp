// SPDX-License-Identifier: BSL-1.0
#include <brood/base/task.hpp>

#include "support/within.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>

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

TEST_CASE("sleep() may be abandoned at every step", "[task]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            co_await sleep(0ms);
            co_await sleep(1ms);
        });
}
