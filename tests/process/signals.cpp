// SPDX-License-Identifier: BSL-1.0
#include <brood/process/signals.hpp>

#include "support/catch.hpp"
#include "support/race.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/post.hpp>

#include <csignal>
#include <functional>
#include <system_error>

using namespace std::chrono_literals;
using brood::signals;
using brood::task;

TEST_WITHIN(5s, "each of several signals is told by its number", "[signals][node-224]")
{
    signals listening(SIGUSR1, SIGUSR2);
    ::raise(SIGUSR2);
    auto first = co_await listening.next();
    ::raise(SIGUSR1);
    auto second = co_await listening.next();

    CHECK(first == SIGUSR2);
    CHECK(second == SIGUSR1);
}

TEST_WITHIN(5s, "a signal that comes between two waits is not missed", "[signals]")
{
    signals listening(SIGUSR1);
    ::raise(SIGUSR1);
    ::raise(SIGUSR1);
    co_await listening.next();
    auto second = co_await listening.next();

    CHECK(second == SIGUSR1);
}

TEST_WITHIN(5s, "several listeners get the same signal", "[signals][node-221]")
{
    signals one(SIGUSR1), other(SIGUSR1);
    ::raise(SIGUSR1);
    auto first = co_await one.next();
    auto second = co_await other.next();

    CHECK(first == SIGUSR1);
    CHECK(second == SIGUSR1);
}

TEST_WITHIN(5s, "when the last listener goes the default is back", "[signals][node-222]")
{
    struct sigaction now = {};
    {
        signals listening(SIGUSR1);
        ::sigaction(SIGUSR1, nullptr, &now);
        CHECK(now.sa_handler != SIG_DFL);
    }
    ::sigaction(SIGUSR1, nullptr, &now);
    CHECK(now.sa_handler == SIG_DFL);
    co_return;
}

TEST_WITHIN(5s, "a signal that nobody can catch is refused", "[signals]")
{
    CHECK_THROWS_AS(signals(SIGKILL), std::system_error);
    CHECK_THROWS_AS(signals(12345), std::system_error);
    co_return;
}

TEST_WITHIN(10s, "a signal that comes just as the wait for it loses under || is not lost",
            "[signals]")
{
    for (int round = 0; round < 200; ++round)
    {
        signals listening(SIGUSR1);
        std::function<void()> happen = []
        {
            ::raise(SIGUSR1);
        };
        auto number = co_await brood::test::raced(listening.next(), happen, round % 10 - 1);
        if (!number)
            number = co_await listening.next(); // or it is lost, and this waits for ever
        CHECK(number == SIGUSR1);
    }
}

TEST_WITHIN(5s, "a wait for a signal that is cancelled loses none", "[signals]")
{
    signals listening(SIGUSR1);
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    bool cancelled = false;
    auto waiting = listening.next();
    asio::co_spawn(executor, std::move(waiting),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, int)
                                                { cancelled = thrown != nullptr; }));
    co_await asio::post(executor, asio::use_awaitable);
    stop.emit(asio::cancellation_type::terminal);
    while (!cancelled)
        co_await asio::post(executor, asio::use_awaitable);
    ::raise(SIGUSR1);
    auto number = co_await listening.next();

    CHECK(number == SIGUSR1);
}
