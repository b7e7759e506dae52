// SPDX-License-Identifier: BSL-1.0
// Workers of a pool that are killed all the time: every caller has exactly one result.
#include <brood/base/all.hpp>
#include <brood/base/task_group.hpp>
#include <brood/pool.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::worker_state;

namespace
{

constexpr int poison_every = 100;

int doubled(int number)
{
    return 2 * number;
}

int doubled_or_poisoned(int number)
{
    if (number % poison_every == 0)
        ::kill(::getpid(), SIGKILL);
    return 2 * number;
}

/// A coroutine that others run beside in the same worker.
task<int> doubled_soon(int number)
{
    co_await brood::sleep(1ms);
    co_return 2 * number;
}

pool_settings for_storms(unsigned attempts)
{
    pool_settings settings;
    settings.size = 4;
    settings.attempts = brood::at_least_once(attempts);
    settings.restart.per_slot = brood::restart_limit::unlimited();
    settings.restart.per_cluster = brood::restart_limit::unlimited();
    settings.restart.delay.base = 1ms;
    settings.restart.delay.cap = 10ms;
    return settings;
}

/// What came of the calls: results by how often they are right, and errors.
struct tally
{
    int right = 0, wrong = 0, lost = 0, failed = 0;
    std::vector<int> poison;
};

template <class Pool>
task<> call(Pool& calls, int number, tally& told)
{
    try
    {
        auto result = co_await calls(number);
        ++(result == 2 * number ? told.right : told.wrong);
    }
    catch (const brood::worker_lost&)
    {
        ++told.lost;
        told.poison.push_back(number);
    }
    catch (const std::exception&)
    {
        ++told.failed;
    }
}

/// Kills a worker that can be given calls, one after the other, every 10 ms.
template <class Pool>
task<> kill_workers(Pool& calls, bool& over)
{
    unsigned turn = 0;
    while (!over)
    {
        co_await brood::sleep(10ms);
        ++turn;
        auto workers = calls.stats().workers.workers;
        auto& chosen = workers.at((turn * 7) % workers.size());
        if (chosen.state == worker_state::ready && chosen.pid > 0)
            ::kill(chosen.pid, SIGKILL);
    }
}

template <class Pool>
task<> call_all(Pool& calls, int count, tally& told)
{
    brood::task_group all(256);
    for (int number = 1; number <= count; ++number)
        all.start(call(calls, number, told));
    co_await all.join();
}

template <class Pool>
task<> call_all_in_storm(Pool& calls, int count, tally& told)
{
    auto over = false;
    brood::task_group both;
    both.start(kill_workers(calls, over));
    co_await call_all(calls, count, told);
    over = true;
    co_await both.join();
}

} // namespace

TEST_WITHIN(120s, "under a storm of kills each caller of a plain function has exactly one result",
            "[pool]")
{
    pool<doubled> calls(for_storms(1'000));
    auto ready = co_await calls.ready();
    CHECK(ready);
    tally told;

    co_await call_all_in_storm(calls, 20'000, told);

    CHECK(told.right == 20'000);
    CHECK(told.wrong + told.lost + told.failed == 0);
    CHECK(calls.stats().running == 0);
}

TEST_WITHIN(120s, "under a storm of kills each caller of a coroutine has exactly one result",
            "[pool]")
{
    pool<doubled_soon> calls(for_storms(1'000));
    auto ready = co_await calls.ready();
    CHECK(ready);
    tally told;

    co_await call_all_in_storm(calls, 5'000, told);

    CHECK(told.right == 5'000);
    CHECK(told.wrong + told.lost + told.failed == 0);
    CHECK(calls.stats().running == 0);
}

TEST_WITHIN(120s, "of calls of which a few are poison, exactly those are reported", "[pool]")
{
    pool<doubled_or_poisoned> calls(for_storms(3));
    auto ready = co_await calls.ready();
    CHECK(ready);
    tally told;

    co_await call_all(calls, 2'000, told);

    CHECK(told.right == 1'980);
    CHECK(told.lost == 20);
    for (auto number : told.poison)
        CHECK(number % poison_every == 0);
    CHECK(told.wrong + told.failed == 0);
}
