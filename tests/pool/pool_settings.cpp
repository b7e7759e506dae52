// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/pool_settings.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;
using brood::pool_settings;

TEST_CASE("settings of a pool are those of a cluster, and fit calls by default", "[pool]")
{
    pool_settings settings;

    CHECK_NOTHROW(settings.check());
    CHECK(settings.attempts == brood::at_most_once);
    CHECK(settings.output.where == brood::worker_output::goes::printed);
    CHECK(settings.stop.steps().front().wait() > 24h);
}

TEST_CASE("settings that cannot be meant are refused with the reason", "[pool]")
{
    pool_settings settings;
    SECTION("more calls in a worker than there is room for on its board")
    {
        settings.in_flight = 1'000;
    }
    SECTION("more calls at hand than that")
    {
        settings.fetched_ahead = 1'000;
    }
    SECTION("no call may wait")
    {
        settings.waiting = 0;
    }
    SECTION("a grace below zero")
    {
        settings.grace = -1ms;
    }
    SECTION("idle for no time")
    {
        settings.idle_after = 0ms;
    }
    SECTION("at least more than at most")
    {
        settings.size = 2;
        settings.min_size = 3;
    }
    SECTION("limits that make no sense")
    {
        settings.limits.emplace();
        settings.limits->memory = 0;
    }
    SECTION("what no cluster takes")
    {
        settings.start_within = 0ms;
    }
    CHECK_THROWS_AS(settings.check(), std::invalid_argument);
}
