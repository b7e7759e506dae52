// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/settings.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/os/cpu.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/signals.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brood::cluster_settings;
using Catch::Matchers::ContainsSubstring;

namespace
{

brood::task<> answer(brood::process& self)
{
    co_await self.serve([](int question) { return question + 1; });
}

/// When it gets SIGINT, as a primary at a terminal does.
brood::task<> tell_whether_its_worker_lives(brood::process& self)
{
    cluster_settings settings;
    settings.size = 1;
    settings.restart.when = brood::restart::temporary;
    brood::cluster<answer> workers(settings);
    co_await workers.ready();
    brood::signals interrupts(workers.executor(), SIGINT);
    self.send(0);
    co_await interrupts.next();
    auto only = workers.workers().at(0);
    auto said = co_await only.call<int>(41, 10s);
    self.send(said);
    co_await workers.stop();
}

} // namespace

TEST_CASE("by default there is a worker per processor, which dies with its primary", "[settings]")
{
    cluster_settings settings;

    CHECK(settings.workers() == brood::os::available_parallelism());
    CHECK(settings.spawn.die_with_parent);
    CHECK_NOTHROW(settings.check());
}

TEST_WITHIN(20s, "Ctrl-C, which reaches the whole group of the primary, is not for its workers",
            "[settings]")
{
    brood::spawn_options options;
    options.group = brood::process_group::new_session();
    auto executor = brood::default_executor();
    auto child = brood::fork_with<tell_whether_its_worker_lives>(executor, options);
    auto ready = co_await child.message<int>();
    ::kill(-child.pid(), SIGINT);
    auto answer = co_await child.message<int>();
    auto status = co_await child.exit();

    CHECK(ready == 0);
    CHECK(answer == 42);
    CHECK(status.success());
}

TEST_WITHIN(20s, "a worker that is busy is spared, and has all of its time again behind that",
            "[settings]")
{
    using clock = std::chrono::steady_clock;
    cluster_settings settings;
    settings.size = 1;
    settings.restart.when = brood::restart::temporary;
    settings.watchdog.tick = 10ms;
    settings.watchdog.stale_after = 100ms;
    std::vector<brood::stop_step> kill(1, brood::stop_step::signal(SIGKILL, 5s));
    settings.watchdog.end = brood::stop_policy(kill);
    std::vector<clock::time_point> asked;
    settings.watchdog.busy = [&](std::uint64_t worker)
    {
        CHECK(worker == 1);
        asked.push_back(clock::now());
        return asked.size() < 3;
    };
    brood::cluster<answer> workers(settings);
    co_await workers.ready();
    workers.workers().at(0).kill(SIGSTOP);
    auto ended = co_await workers.exit();

    REQUIRE(ended);
    CHECK(ended->cause == brood::exit_cause::hung);
    CHECK(ended->failed());
    REQUIRE(asked.size() == 3);
    CHECK(asked[1] - asked[0] >= 100ms);
    CHECK(asked[2] - asked[1] >= 100ms);
}

TEST_CASE("a worker that hangs is given time to write its core", "[settings]")
{
    CHECK(to_string(brood::watchdog().end) ==
          "SIGABRT, wait 2000 ms; SIGKILL to its tree, wait 5000 ms");
}

TEST_CASE("the usual way to end a worker is to drain, to ask, and to kill", "[settings]")
{
    CHECK(to_string(cluster_settings().stop) ==
          "disconnect, wait 30000 ms; SIGTERM, wait 5000 ms; SIGKILL to its tree, wait 5000 ms");
    CHECK(to_string(brood::drain_policy(2s)) ==
          "disconnect, wait 2000 ms; SIGTERM, wait 5000 ms; SIGKILL to its tree, wait 5000 ms");
}

TEST_CASE("settings that cannot be meant are refused with the reason", "[settings]")
{
    auto refused = [](auto change)
    {
        cluster_settings settings;
        change(settings);
        try
        {
            settings.check();
        }
        catch (const std::invalid_argument& why)
        {
            return std::string(why.what());
        }
        return std::string();
    };

    CHECK_THAT(refused([](auto& of) { of.size = 1'000'000; }), ContainsSubstring("size 1000000"));
    CHECK_THAT(refused([](auto& of) { of.start_within = 0ms; }), ContainsSubstring("start_within"));
    CHECK_THAT(refused([](auto& of) { of.watchdog.tick = 0ms; }), ContainsSubstring("tick"));
    CHECK_THAT(refused([](auto& of) { of.watchdog.stale_after = 1s; }),
               ContainsSubstring("two ticks"));
    CHECK_THAT(refused([](auto& of) { of.recycle.jitter = 2; }), ContainsSubstring("jitter"));
    CHECK_THAT(refused([](auto& of) { of.dispatch = brood::dispatch_policy::sticky(0); }),
               ContainsSubstring("window"));
    CHECK_THAT(refused([](auto& of) { of.restart.delay.factor = 0; }), ContainsSubstring("factor"));
    CHECK_THAT(refused([](auto& of) { of.watchdog.stale_after = -1s; }),
               ContainsSubstring("stale_after"));
    CHECK_THAT(refused([](auto& of) { of.restart.delay.healthy_after = -1s; }),
               ContainsSubstring("negative"));
    CHECK_THAT(refused([](auto& of) { of.restart.exit_code = 256; }),
               ContainsSubstring("0 to 255"));
    CHECK_THAT(refused([](auto& of) { of.recycle.max_age = -1ms; }), ContainsSubstring("times"));
    CHECK_THAT(refused([](auto& of) { of.recycle.min_lifetime = -1ms; }),
               ContainsSubstring("times"));
    CHECK(refused([](auto& of) { of.watchdog.stale_after = 0ms; }).empty());
    CHECK(refused([](auto& of) { of.watchdog.stale_after = 2 * of.watchdog.tick; }).empty());
    CHECK(refused([](auto& of) { of.size = 100'000; }).empty());
    CHECK(refused([](auto& of) { of.recycle.jitter = 1; }).empty());
}

TEST_CASE("workers of one start have lived long enough at different times", "[settings][T19]")
{
    brood::recycling limits;
    for (std::uint64_t first = 1; first < 400; first += 4)
    {
        std::set<double> limit_of_each;
        for (auto worker = first; worker < first + 4; ++worker)
        {
            auto limit = limits.varied(1'000, worker);
            CHECK(limit == limits.varied(1'000, worker));
            CHECK(limit >= 900);
            CHECK(limit <= 1'100);
            limit_of_each.insert(limit);
        }
        CHECK(limit_of_each.size() == 4);
        CHECK(*limit_of_each.rbegin() - *limit_of_each.begin() > 5);
    }
}
