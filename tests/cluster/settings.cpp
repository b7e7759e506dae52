// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/settings.hpp>

#include <brood/os/cpu.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brood::cluster_settings;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("by default there is a worker per processor, which dies with its primary", "[settings]")
{
    cluster_settings settings;

    CHECK(settings.workers() == brood::os::available_parallelism());
    CHECK(settings.spawn.die_with_parent);
    CHECK_NOTHROW(settings.check());
}

TEST_CASE("the usual way to end a worker is to drain, to ask, and to kill", "[settings]")
{
    CHECK(to_string(cluster_settings().stop) ==
          "disconnect, wait 30000 ms; SIGTERM, wait 5000 ms; SIGKILL to its tree, wait 5000 ms");
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
    CHECK(refused([](auto& of) { of.watchdog.stale_after = 0ms; }).empty());
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
