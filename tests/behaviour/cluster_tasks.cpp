// SPDX-License-Identifier: BSL-1.0
// Tasks that are done at least once, by calls to the workers of a cluster: what a primary needs for
// that is the end of the call when the worker dies, how it died, and when its successor is ready.
#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <deque>
#include <map>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::exit_info;
using brood::process;
using brood::task;

namespace
{

constexpr int poison = 137;
constexpr int most_attempts = 3;

int square(int number)
{
    if (number == poison)
    {
        std::signal(SIGSEGV, SIG_DFL); // a sanitizer has its own
        std::raise(SIGSEGV);
    }
    return number * number;
}

task<> square_for_others(process& self)
{
    self.ready();
    co_await self.serve(square);
}

struct job
{
    int number = 0;
    std::vector<exit_info> deaths; // of the workers that had it in hand
};

struct work
{
    std::deque<job> waiting;
    std::map<int, int> results; // how often each came, if it was right
    std::vector<job> dead_letters;
    std::size_t deaths = 0;
    int running = 0;
};

/// Gives the worker of a slot one job after the other until none waits.
task<> work_in_slot(cluster<square_for_others>& workers, work& all, std::size_t slot)
{
    while (!all.waiting.empty())
    {
        auto next = std::move(all.waiting.front());
        all.waiting.pop_front();
        auto worker = workers.worker_in_slot(slot);
        REQUIRE(worker);
        bool lost = false;
        try
        {
            auto result = co_await worker->call<int>(next.number);
            all.results[next.number] += result == next.number * next.number ? 1 : 100;
        }
        catch (const brood::error& error)
        {
            CHECK(error.code() == brood::errc::closed);
            lost = true;
        }
        if (!lost)
            continue;
        auto ended = co_await worker->exit();
        next.deaths.push_back(ended);
        ++all.deaths;
        auto& where = next.deaths.size() < most_attempts ? all.waiting.emplace_back()
                                                         : all.dead_letters.emplace_back();
        where = std::move(next);
        co_await workers.ready();
    }
    --all.running;
}

} // namespace

TEST_WITHIN(30s, "of 500 tasks one kills its workers: it alone is given up, after three attempts",
            "[cluster][T20]")
{
    auto executor = co_await asio::this_coro::executor;
    brood::cluster_settings settings;
    settings.size = 4;
    cluster<square_for_others> workers(settings);
    co_await workers.ready();
    work all;
    for (int number = 0; number < 500; ++number)
        all.waiting.push_back({number, {}});
    for (std::size_t slot = 0; slot < 4; ++slot)
    {
        ++all.running;
        auto lane = work_in_slot(workers, all, slot);
        asio::co_spawn(executor, std::move(lane), asio::detached);
    }
    while (all.running != 0)
        co_await brood::sleep(1ms);

    CHECK(all.results.size() == 499);
    CHECK(all.results.count(poison) == 0);
    for (auto [number, times] : all.results)
        CHECK(times == 1);
    REQUIRE(all.dead_letters.size() == 1);
    CHECK(all.dead_letters[0].number == poison);
    CHECK(all.dead_letters[0].deaths.size() == most_attempts);
    for (auto& death : all.dead_letters[0].deaths)
        CHECK(death.status.signal == SIGSEGV);
    CHECK(all.deaths == most_attempts); // no other task was charged an attempt
    CHECK(workers.stats().failures == most_attempts);
    co_await workers.stop();
}
