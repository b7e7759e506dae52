// SPDX-License-Identifier: BSL-1.0
// Workers of a pool that are killed all the time: every caller has exactly one result.
#include <brood/base/all.hpp>
#include <brood/base/task_group.hpp>
#include <brood/pool.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/own_memory.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstddef>
#include <random>
#include <set>
#include <unistd.h>

using namespace std::chrono_literals;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::worker_state;
using brood::test::open_descriptors;
using brood::test::resident_memory;

namespace
{

constexpr int poison_every = 100;

// An innocent call that so many random kills hit, one after the other, would be reported as poison.
constexpr unsigned poison_attempts = 5;

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
    auto settings = brood::test::workers(4);
    settings.attempts = brood::at_least_once(attempts);
    settings.restart.per_slot = brood::restart_limit::unlimited();
    settings.restart.per_cluster = brood::restart_limit::unlimited();
    settings.restart.delay.base = 1ms;
    settings.restart.delay.cap = 10ms;
    return settings;
}

/// What came of the calls: how many results are right, and which calls were lost.
struct tally
{
    int right = 0, wrong = 0, failed = 0;
    std::multiset<int> lost;
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
        told.lost.insert(number);
    }
    catch (const std::exception&)
    {
        ++told.failed;
    }
}

/// Kills any worker that can be given calls, every 10 ms.
template <class Pool>
task<> kill_workers(Pool& calls, const bool& over)
{
    std::minstd_rand random(4711);
    while (!over)
    {
        co_await brood::sleep(10ms);
        auto workers = calls.stats().workers.workers;
        auto& chosen = workers.at(random() % workers.size());
        if (chosen.state == worker_state::ready && chosen.pid > 0)
            ::kill(chosen.pid, SIGKILL);
    }
}

/// Calls with the next number, again and again.
template <class Pool>
task<> call_up_to(Pool& calls, int count, int& last, tally& told)
{
    while (last < count)
        co_await call(calls, ++last, told);
}

template <class Pool>
task<> call_all(Pool& calls, int count, tally& told)
{
    int last = 0;
    brood::task_group callers;
    for (int each = 0; each < 256; ++each)
        callers.start(call_up_to(calls, count, last, told));
    co_await callers.join();
}

/// What came of so many calls, while workers are killed.
template <class Pool>
task<tally> call_all_in_storm(Pool& calls, int count)
{
    tally told;
    auto over = false;
    brood::task_group both;
    both.start(kill_workers(calls, over));
    co_await call_all(calls, count, told);
    over = true;
    co_await both.join();
    co_return told;
}

/// Each has a result of its own, in spite of the storm.
template <class Pool>
task<> check_storm_without_poison(Pool& calls, int count)
{
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto told = co_await call_all_in_storm(calls, count);

    CHECK(told.right == count);
    CHECK(told.wrong + told.failed == 0);
    CHECK(told.lost.empty());
    CHECK(calls.stats().running == 0);
}

/// The multiples of `poison_every` up to the last one, each once.
std::multiset<int> poison_up_to(int last)
{
    std::multiset<int> all;
    for (int number = poison_every; number <= last; number += poison_every)
        all.insert(number);
    return all;
}

/// Every worker lives, and has said all that it says by itself.
template <class Pool>
task<> settled(Pool& calls)
{
    auto ready = co_await calls.ready();
    CHECK(ready);
    auto last = open_descriptors().size();
    for (int same = 0; same < 20;)
    {
        co_await brood::sleep(10ms);
        auto now = open_descriptors().size();
        same = now == last ? same + 1 : 0;
        last = now;
    }
}

task<> check_storm_with_poison(int count)
{
    pool<doubled_or_poisoned> calls(for_storms(poison_attempts));
    co_await call_all_in_storm(calls, 2'000); // what is kept for reuse is there from now on
    co_await settled(calls);
    auto descriptors = open_descriptors().size();
    [[maybe_unused]] auto memory = resident_memory();

    auto told = co_await call_all_in_storm(calls, count);

    CHECK(told.right == count - count / poison_every);
    CHECK(told.lost == poison_up_to(count));
    CHECK(told.wrong + told.failed == 0);
    CHECK(calls.stats().running + calls.stats().waiting == 0);
    co_await settled(calls);
    CHECK(open_descriptors().size() == descriptors);
#if !defined(__SANITIZE_ADDRESS__) // which keeps what was freed
    CHECK(resident_memory() < memory + (std::size_t{8} << 20));
#endif
}

} // namespace

TEST_WITHIN(120s, "under a storm of kills each caller of a plain function has exactly one result",
            "[pool]")
{
    pool<doubled> calls(for_storms(1'000));
    co_await check_storm_without_poison(calls, 20'000);
}

TEST_WITHIN(120s, "under a storm of kills each caller of a coroutine has exactly one result",
            "[pool]")
{
    pool<doubled_soon> calls(for_storms(1'000));
    co_await check_storm_without_poison(calls, 5'000);
}

TEST_WITHIN(240s,
            "under a storm of kills exactly the calls that are poison are reported, and "
            "memory and descriptors end where they began",
            "[pool]")
{
#if defined(__SANITIZE_ADDRESS__) // a worker that starts slowly lives for few calls
    co_await check_storm_with_poison(4'000);
#else
    co_await check_storm_with_poison(20'000);
#endif
}

// Takes minutes: by hand, with its name or [.long].
TEST_WITHIN(1'800s, "the same holds for 100,000 calls", "[pool][.long]")
{
    co_await check_storm_with_poison(100'000);
}
