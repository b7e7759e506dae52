// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/pool_stats.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

using namespace std::chrono_literals;

TEST_CASE("the figures of a pool are a line for each slot and one for all", "[pool]")
{
    brood::pool_stats stats;
    stats.waiting = 3;
    stats.done = 9;
    stats.failed = 1;
    stats.retried = 2;
    stats.times.add(20ms);
    stats.slots.push_back({0, 1, 9, 1});

    auto text = to_string(stats);

    CHECK(text.find("   0         1           9           1\n") != std::string::npos);
    CHECK(text.find("3 waiting, 0 running; 9 done, 1 failed, 2 retried") != std::string::npos);
    CHECK(text.find("20 ms each") != std::string::npos);
}
