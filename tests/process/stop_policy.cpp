// SPDX-License-Identifier: BSL-1.0
#include <brood/process/stop_policy.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include <csignal>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::stop_policy;
using brood::stop_step;
using brood::task;

TEST_CASE("a stop is asked for, then enforced", "[stop_policy]")
{
    CHECK(stop_policy().steps() ==
          std::vector<stop_step>{stop_step::disconnect_and_signal(SIGTERM, 5s),
                                 stop_step::kill_tree(5s)});
    CHECK(stop_policy(2s, SIGINT).steps() ==
          std::vector<stop_step>{stop_step::disconnect_and_signal(SIGINT, 2s),
                                 stop_step::kill_tree(5s)});
}

TEST_CASE("a policy is printed step by step", "[stop_policy]")
{
    std::ostringstream printed;
    printed << stop_policy();

    CHECK(printed.str() == "disconnect, SIGTERM, wait 5000 ms; SIGKILL to its tree, wait 5000 ms");
    CHECK(to_string(stop_policy(std::vector<stop_step>{stop_step::disconnect(1s)})) ==
          "disconnect, wait 1000 ms");
}

TEST_CASE("a policy that cannot be meant is refused", "[stop_policy]")
{
    auto of = [](stop_step step)
    {
        return stop_policy(std::vector{step});
    };

    CHECK_THROWS_AS(stop_policy(std::vector<stop_step>()), std::invalid_argument);
    CHECK_THROWS_AS(of(stop_step::signal(-1, 1s)), std::invalid_argument);
    CHECK_THROWS_AS(of(stop_step::signal(NSIG, 1s)), std::invalid_argument);
    CHECK_THROWS_AS(of(stop_step::signal(SIGTERM, -1ms)), std::invalid_argument);
}

TEST_WITHIN(10s, "steps are taken one after the other until one works", "[stop_policy]")
{
    auto child = printing("trap '' TERM INT; echo ready; while :; do sleep 0.01; done");
    co_await child.out().read_line();
    stop_policy policy(std::vector<stop_step>{stop_step::signal(SIGTERM, 20ms),
                                              stop_step::signal(SIGINT, 20ms),
                                              stop_step::signal(SIGUSR1, 5s)});
    auto status = co_await child.stop(policy);

    CHECK(status.signal == SIGUSR1);
}

TEST_WITHIN(10s, "a stop that is cancelled takes no further step", "[stop_policy]")
{
    auto child = printing(stubborn);
    co_await child.out().read_line();
    asio::cancellation_signal cancel;
    bool cancelled = false;
    stop_policy impatient(100ms);
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, child.stop(impatient),
                   asio::bind_cancellation_slot(
                       cancel.slot(), [&cancelled](std::exception_ptr thrown, brood::exit_status)
                       { cancelled = thrown != nullptr; }));
    co_await brood::sleep(10ms);

    cancel.emit(asio::cancellation_type::terminal);
    co_await brood::sleep(300ms);

    CHECK(cancelled);
    CHECK(child.kill(0)); // it still runs
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_WITHIN(10s, "a stop that is cancelled just as the time of a step is over takes no further one",
            "[stop_policy]")
{
    for (int round = 0; round < 5; ++round)
    {
        auto child = brood::spawn("sleep", {"1000"});
        asio::cancellation_signal cancel;
        bool cancelled = false;
        stop_policy impatient(
            std::vector<stop_step>{stop_step::signal(0, 10ms), stop_step::signal(SIGKILL, 5s)});
        auto executor = co_await asio::this_coro::executor;
        asio::co_spawn(executor, child.stop(impatient),
                       asio::bind_cancellation_slot(
                           cancel.slot(), [&](std::exception_ptr thrown, brood::exit_status)
                           { cancelled = thrown != nullptr; }));
        for (int turn = 0; turn < 5; ++turn)
            co_await asio::post(executor, asio::use_awaitable);
        asio::steady_timer just_behind(executor, 10ms);
        just_behind.async_wait([&](auto) { cancel.emit(asio::cancellation_type::terminal); });
        ::usleep(30'000); // both are over when the loop looks again
        co_await brood::sleep(50ms);

        CHECK(cancelled);
        CHECK(child.kill(0)); // it still runs
        child.kill(SIGKILL);
        co_await child.exit();
    }
}

TEST_WITHIN(10s, "a stopped process sees a SIGTERM", "[stop_policy]")
{
    auto child = brood::spawn("sleep", {"1000"});
    child.kill(SIGSTOP);
    auto status = co_await child.stop();

    CHECK(status.signal == SIGTERM);
}

TEST_WITHIN(20s, "who has to be killed is killed with all that it started", "[stop_policy]")
{
    auto child = printing("trap '' TERM; sleep 1000 & echo ready; wait");
    co_await child.out().read_line();
    stop_policy impatient(20ms);
    auto status = co_await child.stop(impatient);
    auto closed = co_await child.closed(); // nobody holds the pipe any more

    CHECK(status.signal == SIGKILL);
    CHECK(closed.signal == SIGKILL);
}

TEST_WITHIN(20s, "a step for the tree reaches those that stand still, too", "[stop_policy]")
{
    auto child = printing("sleep 1000 & kill -STOP $!; echo ready; kill -STOP $$");
    co_await child.out().read_line();
    stop_policy all(std::vector<stop_step>{stop_step::signal_tree(SIGTERM, 5s)});
    auto status = co_await child.stop(all);
    co_await child.closed();

    CHECK(status.signal == SIGTERM);
}

TEST_WITHIN(60s, "a step for the tree reaches those that are started meanwhile", "[stop_policy]")
{
    for (int round = 0; round < 10; ++round)
    {
        auto child = printing("(while :; do sleep 100 & sleep 0.001; done) & echo started; wait");
        co_await child.out().read_line();
        co_await brood::sleep(std::chrono::milliseconds(round));
        stop_policy all(std::vector<stop_step>{stop_step::signal_tree(SIGTERM, 5s)});
        auto status = co_await child.stop(all);
        auto closed = co_await child.closed(); // nobody holds the pipe any more

        CHECK(status.signal == SIGTERM);
        CHECK(closed.signal == SIGTERM);
    }
}

TEST_WITHIN(10s, "whoever outlives every step is told with the policy", "[stop_policy]")
{
    auto child = printing(stubborn);
    co_await child.out().read_line();
    std::string text;
    stop_policy gentle(std::vector<stop_step>{stop_step::signal(SIGTERM, 20ms)});
    try
    {
        co_await child.stop(gentle);
    }
    catch (const brood::error& late)
    {
        CHECK(late.code() == brood::errc::timed_out);
        text = late.what();
    }
    CHECK_THAT(text,
               Catch::Matchers::StartsWith("process " + std::to_string(child.pid()) +
                                           " (/bin/sh) still runs after: SIGTERM, wait 20 ms"));
    child.kill(SIGKILL);
    auto status = co_await child.exit();
    CHECK(status.signal == SIGKILL);
}
