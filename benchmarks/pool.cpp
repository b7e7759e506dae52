// SPDX-License-Identifier: BSL-1.0
// Calls of a pool: the time of one, how many a second, items of a map a second, memory meanwhile.
//
// usage: pool round_trip [COUNT]
//        pool calls WORKERS [COUNT]      with 16 calls under way for each worker
//        pool map WORKERS [ITEMS]        items of 8 bytes, one by one
//        pool growth WORKERS [ITEMS]     how much memory that takes, in KiB: the most of any
//        process
//        pool ready WORKERS              milliseconds until so many workers can be given calls
//        pool late WORKERS [COUNT]       milliseconds, beyond the grace, until the worker of a call
//        that is late and does not stop leaves its processor: the most of COUNT
#include "measure.hpp"
#include "memory.hpp"

#include <brood/brood.hpp>
#include <brood/pool.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ranges>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace
{

std::string mode;
std::size_t workers = 1;
std::uint64_t count = 0;

std::uint64_t next(std::uint64_t number)
{
    return number + 1;
}

std::uint64_t never_returns(std::uint64_t number)
{
    volatile std::uint64_t turns = number;
    for (;;)
        turns = turns + 1;
}

using next_pool = brood::pool<next>;

brood::task<> call_again_and_again(next_pool& pool, std::uint64_t times)
{
    for (std::uint64_t number = 0; number < times; ++number)
    {
        auto reply = co_await pool(number);
        if (reply != number + 1)
            std::abort();
    }
}

brood::task<> call_side_by_side(next_pool& pool, std::uint64_t times, std::uint64_t callers)
{
    brood::task_group group;
    for (std::uint64_t each = 0; each < callers; ++each)
        group.start(call_again_and_again(pool, times / callers));
    co_await group.join();
}

brood::task<> map_all(next_pool& pool, std::uint64_t items)
{
    auto results = pool.map(std::views::iota(std::uint64_t{0}, items));
    std::uint64_t number = 0;
    while (auto one = co_await results.next())
    {
        if (*one != ++number)
            std::abort();
    }
}

/// What each process has to itself, in KiB: this one first, then the workers.
std::vector<double> memory_of_all(next_pool& pool)
{
    std::vector<double> all{bench::private_kilobytes(::getpid())};
    for (auto& worker : pool.stats().workers.workers)
        all.push_back(bench::private_kilobytes(worker.pid));
    return all;
}

double most_growth(const std::vector<double>& before, const std::vector<double>& after)
{
    double most = 0;
    for (std::size_t each = 0; each < after.size(); ++each)
        most = std::max(most, after[each] - before[each]);
    return most;
}

/// The milliseconds from the moment at which a call is late until its worker has ended.
brood::task<double> time_of_late_call(const brood::pool<never_returns>& pool)
{
    auto exits = pool.stats().workers.exits;
    try
    {
        co_await pool.with({.deadline = std::chrono::milliseconds(20)})(1);
    }
    catch (const brood::error&)
    {
        // It is late.
    }
    bench::stopwatch watch;
    while (pool.stats().workers.exits == exits)
        co_await brood::sleep(std::chrono::microseconds(500));
    co_return watch.seconds() * 1e3;
}

brood::task<> measure_late_calls()
{
    brood::pool_settings settings;
    settings.size = workers;
    settings.grace = std::chrono::milliseconds(50);
    brood::pool<never_returns> pool(settings);
    double most = 0;
    for (std::uint64_t each = 0; each < count; ++each)
    {
        co_await pool.ready();
        auto time = co_await time_of_late_call(pool);
        most = std::max(most, time - static_cast<double>(settings.grace.count()));
    }
    bench::report(most);
    co_await pool.stop();
}

brood::task<> measure()
{
    brood::pool_settings settings;
    settings.size = workers;
    bench::stopwatch from_start;
    next_pool pool(settings);
    co_await pool.ready();
    auto until_ready = from_start.seconds();
    if (mode == "round_trip")
    {
        co_await call_again_and_again(pool, 1000);
        bench::stopwatch watch;
        co_await call_again_and_again(pool, count);
        bench::report(watch.seconds() * 1e6 / static_cast<double>(count));
    }
    else if (mode == "calls")
    {
        co_await call_side_by_side(pool, count / 10, workers * 16);
        bench::stopwatch watch;
        co_await call_side_by_side(pool, count, workers * 16);
        bench::report(static_cast<double>(count) / watch.seconds());
    }
    else if (mode == "ready")
    {
        bench::report(until_ready * 1e3);
    }
    else if (mode == "map")
    {
        co_await map_all(pool, count / 10);
        bench::stopwatch watch;
        co_await map_all(pool, count);
        bench::report(static_cast<double>(count) / watch.seconds());
    }
    else
    {
        co_await map_all(pool, count / 10);
        auto before = memory_of_all(pool);
        co_await map_all(pool, count);
        bench::report(most_growth(before, memory_of_all(pool)));
    }
    co_await pool.stop();
}

void raise_limit_of_descriptors()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char** argv)
{
    mode = argc > 1 ? argv[1] : "round_trip";
    auto alone = mode == "round_trip";
    workers = alone ? 1 : static_cast<std::size_t>(bench::argument(argc, argv, 2, 2));
    count = static_cast<std::uint64_t>(bench::argument(argc, argv, alone ? 2 : 3, 20'000));
    raise_limit_of_descriptors(); // each worker needs some
    return brood::run(mode == "late" ? measure_late_calls : measure);
}
