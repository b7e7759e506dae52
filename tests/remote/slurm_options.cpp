// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/slurm_options.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brood::slurm_options;

TEST_CASE("options of Slurm are written as one says them", "[remote]")
{
    slurm_options options{.nodes = 4, .partition = "long", .time = 30min};

    CHECK_NOTHROW(options.check());
    CHECK(options.cpus_per_task == 1);
    CHECK(options.exported == "ALL");
}

TEST_CASE("options of Slurm that cannot be meant are refused", "[remote]")
{
    slurm_options options;
    SECTION("a worker without a processor")
    {
        options.cpus_per_task = 0;
    }
    SECTION("no start")
    {
        options.starts_at_once = 0;
    }
    SECTION("nodes without a worker")
    {
        options.nodes = 3;
        options.tasks = 2;
    }
    SECTION("no time")
    {
        options.time = 0min;
    }
    SECTION("no wait")
    {
        options.wait = 0s;
    }
    SECTION("no word of what is exported")
    {
        options.exported = "";
    }
    CHECK_THROWS_AS(options.check(), std::invalid_argument);
}
