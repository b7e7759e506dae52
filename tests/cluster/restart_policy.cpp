// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/restart_policy.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using brood::exit_cause;
using brood::exit_info;
using brood::failure_history;
using brood::restart;
using brood::restart_decision;
using brood::restart_policy;
using action = brood::restart_decision::action;

namespace
{

exit_info exited(int code, std::chrono::milliseconds uptime = 1s)
{
    exit_info ended;
    ended.status.code = code;
    ended.uptime = uptime;
    ended.was_ready = true;
    return ended;
}

exit_info signalled(int signal)
{
    auto ended = exited(0);
    ended.status.signal = signal;
    ended.cause = exit_cause::signalled;
    return ended;
}

exit_info caused(exit_cause cause)
{
    auto ended = exited(0);
    ended.cause = cause;
    return ended;
}

/// A policy with the history of one slot, and a clock that a test turns.
struct story
{
    restart_policy policy = {};
    failure_history slot = {};
    failure_history cluster = {};
    std::chrono::steady_clock::time_point now = {};

    restart_decision next(const exit_info& ended, double random = 0.5)
    {
        return policy.decide(ended, slot, cluster, now, random);
    }
};

} // namespace

TEST_CASE("each class of restart decides about each end as its table says", "[restart_policy][T03]")
{
    struct row
    {
        exit_info ended;
        bool permanent, transient, temporary;
    };
    auto gave_up = exited(1);
    gave_up.cause = exit_cause::gave_up;
    std::vector<row> table{
        {exited(0), true, false, false},
        {exited(1), true, true, false},
        {signalled(SIGTERM), true, true, false},
        {signalled(SIGINT), true, true, false},
        {signalled(SIGSEGV), true, true, false},
        {signalled(SIGABRT), true, true, false},
        {signalled(SIGKILL), true, true, false},
        {gave_up, false, false, false},
        {caused(exit_cause::start_failed), true, true, false},
        {caused(exit_cause::start_timeout), true, true, false},
        {caused(exit_cause::recycled), true, true, true},
        {caused(exit_cause::replaced), true, true, true},
        {caused(exit_cause::scaled_down), false, false, false},
        {caused(exit_cause::stopped), true, true, false},
    };
    for (auto& [ended, permanent, transient, temporary] : table)
    {
        INFO(to_string(ended));
        auto again = [&, of = ended](restart when)
        {
            story one;
            one.policy.when = when;
            return one.next(of).what == action::start;
        };

        CHECK(again(restart::permanent) == permanent);
        CHECK(again(restart::transient) == transient);
        CHECK(again(restart::temporary) == temporary);
    }
}

TEST_CASE("a short life waits for the next one, however well it ended, and is no failure",
          "[restart_policy]")
{
    story one;
    one.policy.per_slot.failures = 0;
    std::vector<std::chrono::milliseconds> waits;
    for (int life = 0; life < 4; ++life)
    {
        auto next = one.next(exited(0, 10ms));
        CHECK(next.what == action::start);
        waits.push_back(next.wait);
    }

    CHECK(waits == std::vector<std::chrono::milliseconds>{0ms, 100ms, 200ms, 400ms});
    CHECK(one.next(exited(0, 1s)).wait == 0ms);
    auto replaced = caused(exit_cause::replaced);
    replaced.uptime = 10ms;
    CHECK(one.next(replaced).wait == 0ms);
}

TEST_CASE("without a limit failures are borne for ever, and each waits as its row says",
          "[restart_policy]")
{
    story one;
    one.policy.per_slot = one.policy.per_cluster = brood::restart_limit::unlimited();
    std::size_t started = 0;
    restart_decision last;
    for (int failure = 0; failure < 100'000; ++failure)
    {
        last = one.next(exited(1, 0ms));
        started += last.what == action::start ? 1U : 0U;
    }

    CHECK(started == 100'000);
    CHECK(last.wait == 30s);
    CHECK_NOTHROW(one.policy.check());
}

TEST_CASE("one limit may be there without the other", "[restart_policy]")
{
    story one;
    one.policy.per_slot = brood::restart_limit::unlimited();
    for (int failure = 0; failure < 50; ++failure)
        CHECK(one.next(exited(1)).what == action::start);

    CHECK(one.next(exited(1)).what == action::fail); // of the whole cluster
}

TEST_CASE("chance lengthens and shortens the longest wait as well", "[restart_policy]")
{
    brood::backoff delay;

    CHECK(delay.after(100, 0.5) == 30s);
    CHECK(delay.after(100, 1) == 37'500ms);
    CHECK(delay.after(100, 0) == 22'500ms);
}

TEST_CASE("a code that says so is the last of a slot, whatever else the policy wants",
          "[restart_policy]")
{
    for (auto when : {restart::permanent, restart::transient})
        for (auto asks : {false, true})
        {
            story one;
            one.policy.when = when;
            one.policy.final_codes = {3, 4};
            if (asks)
                one.policy.only_if = [](const exit_info&)
                {
                    return true;
                };

            CHECK(one.next(exited(3)).what == action::leave);
            CHECK(one.next(exited(4)).what == action::leave);
            CHECK(one.next(exited(5)).what == action::start);
            CHECK(one.next(signalled(3)).what == action::start);
            auto replaced = exited(3);
            replaced.cause = exit_cause::replaced;
            CHECK(one.next(replaced).what == action::start);
        }
}

TEST_CASE("workers that are never ready pass the limit of their slot, however long each takes",
          "[restart_policy]")
{
    story one;
    auto late = exited(0, 100s);
    late.was_ready = false;
    late.cause = exit_cause::start_timeout;
    std::vector<std::chrono::milliseconds> waits;
    for (std::size_t failure = 0; failure < one.policy.per_slot.failures; ++failure)
    {
        one.now += late.uptime;
        auto next = one.next(late);
        REQUIRE(next.what == action::start);
        waits.push_back(next.wait);
        one.now += next.wait;
    }
    one.now += late.uptime;

    CHECK(one.next(late).what == action::fail);
    CHECK(waits == std::vector<std::chrono::milliseconds>{0ms, 100ms, 200ms, 400ms, 800ms});
}

TEST_CASE("workers that are ready and live long never pass the limit", "[restart_policy]")
{
    story one;
    for (int failure = 0; failure < 100; ++failure)
    {
        auto next = one.next(exited(1, 100s));
        CHECK(next == restart_decision{action::start, 0ms});
        one.now += 100s;
    }
}

TEST_CASE("a predicate decides in place of the class", "[restart_policy]")
{
    story one;
    one.policy.only_if = [](const exit_info& ended)
    {
        return ended.status.code == 75;
    };

    CHECK(one.next(exited(75)).what == action::start);
    CHECK(one.next(exited(1)).what == action::leave);
    CHECK(one.next(caused(exit_cause::recycled)).what == action::start);
}

TEST_CASE("failures in a row wait longer and longer, up to the cap", "[restart_policy]")
{
    story one;
    one.policy.per_slot.failures = 100;
    std::vector<std::chrono::milliseconds> waits;
    for (int failure = 0; failure < 12; ++failure)
        waits.push_back(one.next(exited(1)).wait);

    CHECK(waits == std::vector<std::chrono::milliseconds>{0ms, 100ms, 200ms, 400ms, 800ms, 1600ms,
                                                          3200ms, 6400ms, 12800ms, 25600ms, 30000ms,
                                                          30000ms});
}

TEST_CASE("chance makes a wait a quarter shorter or longer", "[restart_policy]")
{
    brood::backoff delay;

    CHECK(delay.after(3, 0.0) == 150ms);
    CHECK(delay.after(3, 0.5) == 200ms);
    CHECK(delay.after(3, 1.0) == 250ms);
    CHECK(delay.after(1, 1.0) == 0ms);
    CHECK(delay.after(4'000'000'000, 0.5) == 30s);
}

TEST_CASE("chance is for waits at the cap, too: workers do not come back in step there either",
          "[restart_policy]")
{
    brood::backoff delay;

    CHECK(delay.after(100, 0.0) == 22'500ms);
    CHECK(delay.after(100, 1.0) == 37'500ms);
}

TEST_CASE("a worker that lived long enough starts a new row", "[restart_policy]")
{
    story one;
    one.policy.per_slot.failures = 100;
    one.next(exited(1));
    one.next(exited(1));

    CHECK(one.next(exited(1)).wait == 200ms);
    CHECK(one.next(exited(1, 10s)).wait == 0ms);
    CHECK(one.next(exited(1)).wait == 100ms);
}

TEST_CASE("ten crashes, each after proven health, neither wait longer nor pass the limit",
          "[restart_policy][T05]")
{
    story one;
    for (int crash = 0; crash < 10; ++crash)
    {
        one.now += 10s;

        CHECK(one.next(exited(1, 10s)) == restart_decision{action::start, 0ms});
    }
}

TEST_CASE("a return, and what the cluster wanted, neither wait nor count", "[restart_policy]")
{
    story one;
    for (int end = 0; end < 1000; ++end)
    {
        CHECK(one.next(exited(0)) == restart_decision{action::start, 0ms});
        CHECK(one.next(caused(exit_cause::replaced)) == restart_decision{action::start, 0ms});
    }
}

TEST_CASE("a return before it was ready is a failure", "[restart_policy]")
{
    story one;
    auto early = exited(0);
    early.was_ready = false;

    one.next(early);

    CHECK(one.next(early).wait == 100ms);
}

TEST_CASE("one failure more than the limit within its time ends the cluster", "[restart_policy]")
{
    story one;
    for (int failure = 0; failure < 5; ++failure)
        CHECK(one.next(exited(1)).what == action::start);

    CHECK(one.next(exited(1)).what == action::fail);
}

TEST_CASE("failures that lie further back than the time of the limit do not count",
          "[restart_policy]")
{
    story one;
    for (int failure = 0; failure < 100; ++failure)
    {
        one.now += 6001ms;

        CHECK(one.next(exited(1)).what == action::start);
    }
}

TEST_CASE("a slot that failed too often is parked when that is wanted", "[restart_policy]")
{
    story one;
    one.policy.on_limit = brood::on_limit::park;
    for (int failure = 0; failure < 5; ++failure)
        one.next(exited(1));

    CHECK(one.next(exited(1)).what == action::park);
}

TEST_CASE("the cluster's own limit counts the failures of all slots", "[restart_policy]")
{
    restart_policy policy;
    policy.on_limit = brood::on_limit::park;
    policy.per_cluster.failures = 3;
    failure_history cluster;
    std::vector<action> decided;
    for (int slot = 0; slot < 4; ++slot)
    {
        failure_history own;
        decided.push_back(policy.decide(exited(1), own, cluster, {}, 0.5).what);
    }

    CHECK(decided == std::vector{action::start, action::start, action::start, action::fail});
}

TEST_CASE("a limit for all time counts every failure", "[restart_policy]")
{
    failure_history history;
    brood::restart_limit limit{5, std::chrono::milliseconds::max()};
    std::chrono::steady_clock::time_point now;
    bool passed = false;
    for (int failure = 0; failure < 6; ++failure)
        passed = history.add(now += 1h, limit);

    CHECK(passed);
}

TEST_CASE("a hundred thousand random histories keep the promises of the policy", "[restart_policy]")
{
    std::minstd_rand random(Catch::rngSeed());
    auto chance = [&]
    {
        return std::uniform_real_distribution<double>(0, 1)(random);
    };
    for (int history = 0; history < 100'000; ++history)
    {
        story one;
        one.policy.per_slot = {random() % 6, 10s};
        std::vector<std::chrono::steady_clock::time_point> failures;
        for (int end = 0; end < 8; ++end)
        {
            one.now += std::chrono::milliseconds(random() % 5000);
            auto ended =
                exited(random() % 3 == 0 ? 0 : 1, std::chrono::milliseconds(random() % 12'000));
            auto next = one.next(ended, chance());
            if (ended.failed())
                failures.push_back(one.now);
            auto recent = std::count_if(failures.begin(), failures.end(),
                                        [&](auto time) { return one.now - time <= 10s; });
            auto limit = static_cast<std::ptrdiff_t>(one.policy.per_slot.failures);
            auto passed = ended.failed() && recent > limit;

            if ((next.what == action::fail) != passed)
                FAIL("history " << history << ": " << recent << " failures, limit " << limit);
            if (next.wait > one.policy.delay.cap * 5 / 4 || next.wait < 0ms)
                FAIL("history " << history << ": a wait of " << next.wait.count() << " ms");
            if (!ended.failed() && ended.uptime >= 1s && next.wait != 0ms)
                FAIL("history " << history << ": a wait after a long life without failure");
        }
    }
    SUCCEED();
}

TEST_CASE("a policy that cannot be meant is refused with the reason", "[restart_policy]")
{
    restart_policy policy;
    CHECK_NOTHROW(policy.check());

    policy.delay.factor = 0.5;
    CHECK_THROWS_WITH(policy.check(), Catch::Matchers::ContainsSubstring("factor is at least 1"));

    policy = {};
    policy.delay.cap = 1ms;
    CHECK_THROWS_AS(policy.check(), std::invalid_argument);

    for (auto code : {-1, 256})
    {
        policy = {};
        policy.final_codes = {0, 255, code};
        CHECK_THROWS_WITH(policy.check(), Catch::Matchers::ContainsSubstring("0 to 255"));
    }

    policy = {};
    policy.per_slot.within = 0ms;
    CHECK_THROWS_AS(policy.check(), std::invalid_argument);
}

TEST_CASE("an end that is excused is followed by a start at once, and counts towards no limit",
          "[restart_policy]")
{
    story one;
    one.policy.per_slot.failures = 1;
    one.policy.excused = [](const exit_info& ended)
    {
        return ended.status.signal == SIGSEGV;
    };

    for (int each = 0; each < 10; ++each)
        CHECK(one.next(signalled(SIGSEGV)) == restart_decision{action::start, 0ms});
    CHECK(one.next(signalled(SIGKILL)).what == action::start);
    CHECK(one.next(signalled(SIGKILL)).what == action::fail);
}
