// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/slurm_allocation.hpp>

#include "support/catch.hpp"

#include <map>
#include <stdexcept>
#include <string>

using brood::environment;
using brood::slurm_allocation;
using brood::slurm_node;

namespace
{

using variables = std::map<std::string, std::string>;

std::optional<slurm_allocation> read(const variables& named)
{
    return slurm_allocation::from(environment::only(named));
}

} // namespace

TEST_CASE("an allocation is read from the variables that Slurm sets", "[remote]")
{
    auto found = read({{"SLURM_JOB_ID", "17"},
                       {"SLURM_JOB_NODELIST", "n[1-2],m7"},
                       {"SLURM_JOB_CPUS_PER_NODE", "8(x2),3"},
                       {"SLURM_CPUS_PER_TASK", "2"},
                       {"SLURM_TASKS_PER_NODE", "1(x3)"}});

    REQUIRE(found);
    CHECK(found->job == "17");
    CHECK(found->cpus_per_task == 2);
    // Nobody asked for a number of tasks: as many as the processors allow.
    CHECK(found->nodes == std::vector<slurm_node>{{"n1", 8, 4}, {"n2", 8, 4}, {"m7", 3, 1}});
    CHECK(found->workers() == 9);
    CHECK(to_string(*found) == "job 17: n1 with 4 workers, n2 with 4 workers, m7 with 1 worker");
}

TEST_CASE("a number of tasks that was asked for is the number of workers", "[remote]")
{
    auto found = read({{"SLURM_JOB_ID", "17"},
                       {"SLURM_JOB_NODELIST", "n[1-4]"},
                       {"SLURM_JOB_CPUS_PER_NODE", "8(x4)"},
                       {"SLURM_NTASKS", "7"},
                       {"SLURM_TASKS_PER_NODE", "2(x3),1"}});

    REQUIRE(found);
    CHECK(found->workers() == 7);
    CHECK(found->nodes.back() == slurm_node{"n4", 8, 1});
}

TEST_CASE("one number is for all nodes, and none is one processor", "[remote]")
{
    auto same = read(
        {{"SLURM_JOB_ID", "1"}, {"SLURM_JOB_NODELIST", "n[1-2]"}, {"SLURM_CPUS_ON_NODE", "4"}});
    auto none = read({{"SLURM_JOB_ID", "1"}, {"SLURM_JOB_NODELIST", "n1"}});

    CHECK(same.value().workers() == 8);
    CHECK(to_string(*same) == "job 1: n1, n2 with 4 workers each");
    CHECK(none.value().workers() == 1);
}

TEST_CASE("outside of an allocation there is none", "[remote]")
{
    CHECK_FALSE(read({}));
    CHECK_FALSE(read({{"SLURM_JOB_ID", "1"}}));
    CHECK_FALSE(read({{"SLURM_JOB_ID", ""}, {"SLURM_JOB_NODELIST", "n1"}}));
}

TEST_CASE("variables that Slurm would not write are refused", "[remote]")
{
    variables named{{"SLURM_JOB_ID", "1"}, {"SLURM_JOB_NODELIST", "n[1-3]"}};
    SECTION("a broken list")
    {
        named["SLURM_JOB_NODELIST"] = "n[1-3";
    }
    SECTION("processors of other nodes")
    {
        named["SLURM_JOB_CPUS_PER_NODE"] = "8(x2)";
    }
    SECTION("no number")
    {
        named["SLURM_CPUS_PER_TASK"] = "many";
    }
    CHECK_THROWS_AS(read(named), std::invalid_argument);
}

TEST_CASE("what our salloc prints is read when all of it has come", "[remote]")
{
    std::string printed = "a greeting\nSLURM_JOB_ID=9\nSLURM_JOB_NODELIST=n[1-2]\n"
                          "SLURM_JOB_CPUS_PER_NODE=8(x2)\nSLURM_CPUS_ON_NODE=8\n"
                          "SLURM_CPUS_PER_TASK=\nSLURM_NTASKS=\nSLURM_TASKS_PER_NODE=1(x2)\n"
                          "brood: this is the allocation\n";

    for (std::size_t size = 0; size < printed.size(); ++size)
        CHECK_FALSE(slurm_allocation::parse(printed.substr(0, size)));
    auto found = slurm_allocation::parse(printed);
    REQUIRE(found);
    CHECK(found->job == "9");
    CHECK(found->workers() == 16);
    CHECK_FALSE(slurm_allocation::parse("brood: this is the allocation\n"));
}
