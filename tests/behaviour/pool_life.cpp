// SPDX-License-Identifier: BSL-1.0
// The workers of a pool: started when they are needed, replaced while calls are under way, more and
// fewer of them, and pools inside of them.
#include <brood/base/all.hpp>
#include <brood/pool.hpp>

#include "support/catch.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::at_least_once;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::test::as;
using brood::test::code_of;
using brood::test::eventually;
using brood::test::failure_of;
using brood::test::workers;

namespace
{

pid_t pid_after(int milliseconds)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return ::getpid();
}

/// Keeps so much more memory.
pid_t pid_with_more(int megabytes)
{
    static std::vector<char> kept;
    kept.resize(kept.size() + (static_cast<std::size_t>(megabytes) << 20), 'x');
    return ::getpid();
}

/// Keeps the loop of its worker for itself, or returns.
task<int> spins_or_returns(bool spins)
{
    volatile bool goes_on = spins;
    while (goes_on)
        ;
    co_return 1;
}

/// Each in a pool of its own, inside the worker of the one above.
task<int> nested_depth(int depth)
{
    if (depth == 0)
        co_return 0;
    pool<nested_depth> inner;
    auto below = co_await inner(depth - 1);
    co_return below + static_cast<int>(inner.size());
}

/// The same without an end.
task<int> nested_for_ever(int depth)
{
    pool<nested_for_ever> inner;
    auto below = co_await inner(depth + 1);
    co_return below;
}

task<std::vector<pid_t>> pids_of(pool<pid_after>& calls, int count, int milliseconds)
{
    std::vector<task<pid_t>> all;
    for (int each = 0; each < count; ++each)
        all.push_back(calls(milliseconds));
    auto result = co_await brood::all(std::move(all));
    co_return result;
}

std::size_t different(const std::vector<pid_t>& pids)
{
    return std::set<pid_t>(pids.begin(), pids.end()).size();
}

} // namespace

TEST_WITHIN(60s, "workers start when they are needed, and no more of them than that", "[pool]")
{
    auto settings = workers(3);
    settings.when = pool_settings::start::when_needed;
    pool<pid_after> calls(settings);
    CHECK(calls.size() == 0);

    auto first = co_await pids_of(calls, 1, 0);
    CHECK(calls.size() == 1);
    auto all = co_await pids_of(calls, 30, 20);
    CHECK(calls.size() == 3);
    CHECK(different(all) <= 3);
    CHECK(first.size() == 1);
}

TEST_WITHIN(60s, "a pool grows when calls wait, and shrinks when it has been idle for long",
            "[pool]")
{
    auto settings = workers(3);
    settings.min_size = 1;
    settings.idle_after = 200ms;
    pool<pid_after> calls(settings);
    CHECK(calls.size() == 1);

    co_await pids_of(calls, 60, 20);
    CHECK(calls.size() == 3);
    auto shrunk = co_await eventually(20s, [&] { return calls.size() == 1; });
    CHECK(shrunk);
    auto again = co_await pids_of(calls, 3, 0);
    CHECK(again.size() == 3);
}

TEST_WITHIN(60s, "a pool is scaled by hand, and no call is lost", "[pool]")
{
    pool<pid_after> calls(workers(1));

    auto before = calls(100);
    co_await calls.scale(3);
    CHECK(calls.size() == 3);
    auto many = co_await pids_of(calls, 30, 10);
    CHECK(different(many) == 3);
    auto during = pids_of(calls, 30, 10);
    co_await calls.scale(1);
    auto rest = co_await std::move(during);
    CHECK(rest.size() == 30);
    co_await std::move(before);
}

TEST_WITHIN(60s, "a reload replaces every worker while calls are under way, and loses none",
            "[pool]")
{
    pool<pid_after> calls(workers(2));
    auto before = co_await pids_of(calls, 20, 5);

    std::vector<task<pid_t>> during;
    for (int each = 0; each < 40; ++each)
        during.push_back(calls(10));
    auto report = co_await calls.reload();
    CHECK(report.replaced == 2);
    auto results = co_await brood::all(std::move(during));
    CHECK(results.size() == 40);

    auto after = co_await pids_of(calls, 20, 5);
    std::set<pid_t> old(before.begin(), before.end());
    for (auto pid : after)
        CHECK_FALSE(old.contains(pid));
    CHECK(calls.stats().failed == 0);
}

TEST_WITHIN(60s, "a worker that has done its number of calls is replaced, and that is no failure",
            "[pool]")
{
    auto settings = workers(1);
    settings.max_calls = 5;
    settings.recycle.jitter = 0;
    settings.restart.per_cluster.failures = 0;
    pool<pid_after> calls(settings);

    auto pids = co_await pids_of(calls, 25, 0);

    CHECK(different(pids) == 5);
    CHECK(calls.stats().failed == 0);
}

TEST_WITHIN(60s, "a worker that is old is replaced between two calls, and no call fails", "[pool]")
{
    auto settings = workers(1);
    settings.recycle.max_age = 200ms;
    settings.recycle.min_lifetime = 1ms;
    settings.restart.per_cluster.failures = 0;
    pool<pid_after> calls(settings);
    std::set<pid_t> seen;

    while (seen.size() < 3)
    {
        auto pid = co_await calls(10);
        seen.insert(pid);
    }

    CHECK(calls.stats().failed == 0);
}

TEST_WITHIN(60s, "a worker that has grown too large is replaced, and no call fails", "[pool]")
{
    auto settings = workers(1);
    settings.recycle.max_memory = std::size_t{256} << 20;
    settings.recycle.min_lifetime = 1ms;
    settings.restart.per_cluster.failures = 0;
    pool<pid_with_more> calls(settings);

    auto first = co_await calls(0);
    auto grown = co_await calls(300);
    auto later = grown;
    while (later == first)
    {
        co_await brood::sleep(5ms);
        later = co_await calls(0);
    }

    CHECK(first == grown);
    CHECK(calls.stats().failed == 0);
}

TEST_WITHIN(60s, "a worker of coroutines whose loop stands still is hung, and its callers learn it",
            "[pool]")
{
    auto settings = workers(1);
    settings.watchdog.tick = 50ms;
    settings.watchdog.stale_after = 500ms;
    pool<spins_or_returns> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto failure = co_await failure_of(calls(true));

    auto lost = as<brood::worker_lost>(failure);
    REQUIRE(lost);
    CHECK(lost->ended().cause == brood::exit_cause::hung);
    CHECK(lost->text().find("(hung: spins)") != std::string::npos);
    auto next = co_await calls(false);
    CHECK(next == 1);
}

TEST_WITHIN(60s, "a plain function may compute for longer than the watchdog waits", "[pool]")
{
    auto settings = workers(1);
    settings.watchdog.tick = 20ms;
    settings.watchdog.stale_after = 100ms;
    pool<pid_after> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto pid = co_await calls(1'000);
    auto same = co_await calls(0);

    CHECK(pid == same);
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(60s, "a slow call holds up nobody: what was at hand behind it goes to an idle worker",
            "[pool]")
{
    auto settings = workers(2);
    settings.fetched_ahead = 8;
    pool<pid_after> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto slow = calls(3'000);
    auto begun = std::chrono::steady_clock::now();
    co_await pids_of(calls, 16, 1);
    CHECK(std::chrono::steady_clock::now() - begun < 2'500ms);
    co_await std::move(slow);
}

TEST_WITHIN(60s, "a pool that finishes takes no more calls, and ends when all have their results",
            "[pool]")
{
    pool<pid_after> calls(workers(2));
    auto during = pids_of(calls, 10, 10);
    auto again = calls(0);

    auto results = co_await brood::all(std::move(during), calls.finish());

    CHECK(std::get<0>(results).size() == 10);
    co_await std::move(again);
    auto code = co_await code_of(calls(0));
    CHECK(code == brood::errc::closed);
}

TEST_WITHIN(60s, "a pool that is stopped ends its calls at once, and its workers after the grace",
            "[pool]")
{
    pool<pid_after> calls(workers(2, 200ms));
    auto ready = co_await calls.ready();
    CHECK(ready);
    std::vector<task<std::error_code>> all;
    for (int each = 0; each < 10; ++each) // some with a worker, some at hand, some that wait
        all.push_back(code_of(calls(60'000)));
    auto begun = std::chrono::steady_clock::now();

    auto every = brood::all(std::move(all));
    auto codes = co_await brood::all(std::move(every), calls.stop());

    CHECK(std::get<0>(codes) == std::vector<std::error_code>(10, brood::errc::closed));
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
    CHECK(calls.stats().running == 0);
    auto later = co_await code_of(calls(0));
    CHECK(later == brood::errc::closed);
}

TEST_WITHIN(120s, "pools inside of workers share what the machine can do", "[pool]")
{
    pool<nested_depth> calls(workers(4));

    auto workers = co_await calls(3);

    CHECK(workers >= 3); // one for each pool below at least
    CHECK(workers <= 3 * static_cast<int>(std::thread::hardware_concurrency()));
}

TEST_WITHIN(120s, "a recursion of pools without an end is refused at some depth", "[pool]")
{
    pool<nested_for_ever> calls(workers(1));
    auto failure = co_await failure_of(calls(0));
    auto thrown = as<brood::remote_error>(failure);
    REQUIRE(thrown);
    CHECK(thrown->message().find("must not call its own pool for ever") != std::string::npos);
}
