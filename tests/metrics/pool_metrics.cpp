// SPDX-License-Identifier: BSL-1.0
#include <brood/metrics/pool_metrics.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

using namespace std::chrono_literals;

TEST_CASE("the figures of a pool are metrics of Prometheus", "[metrics][pool]")
{
    brood::pool_stats stats;
    stats.waiting = 3;
    stats.done = 9;
    stats.times.add(20ms);
    stats.slots.push_back({2, 1, 9, 1});

    auto text = prometheus_text(stats, "thumbnails");

    auto has = [&](const std::string& line)
    {
        return text.find(line + '\n') != std::string::npos;
    };
    CHECK(has("# TYPE brood_pool_waiting_calls gauge"));
    CHECK(has("brood_pool_waiting_calls{pool=\"thumbnails\"} 3"));
    CHECK(has("brood_pool_done_calls_total{pool=\"thumbnails\"} 9"));
    CHECK(has("# TYPE brood_pool_call_seconds histogram"));
    CHECK(has("brood_pool_call_seconds_bucket{pool=\"thumbnails\",le=\"0.025\"} 1"));
    CHECK(has("brood_pool_call_seconds_sum{pool=\"thumbnails\"} 0.020"));
    CHECK(has("brood_pool_slot_done_calls_total{pool=\"thumbnails\",slot=\"2\"} 9"));
    CHECK(has("brood_cluster_slots{cluster=\"thumbnails\"} 0"));
}
