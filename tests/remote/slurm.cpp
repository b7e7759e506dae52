// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/slurm.hpp>

#include <brood/pool.hpp>
#include <brood/process/exec.hpp>
#include <brood/process/process.hpp>

#include "support/catch.hpp"
#include "support/launched.hpp"
#include "support/loop_slurm.hpp"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::pool;
using brood::process;
using brood::slurm_options;
using brood::slurm_settings;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

std::string my_node(int)
{
    auto name = std::getenv("SLURMD_NODENAME");
    return name == nullptr ? "none" : name;
}

int slow(int number)
{
    std::this_thread::sleep_for(20ms);
    return number;
}

/// As many workers on two nodes.
slurm_options of_two(std::size_t workers)
{
    slurm_options options;
    options.nodes = 2;
    options.tasks = workers;
    return options;
}

slurm_settings impatient()
{
    slurm_settings settings;
    settings.orphan_grace = 1s;
    return settings;
}

/// The jobs that are left.
std::string jobs()
{
    auto options = brood::exec_options().timeout(10s);
    return brood::exec_file_sync("squeue", {"-h", "-t", "R", "-o", "%i"}, options).out;
}

/// Two workers, whose calls are tried elsewhere.
brood::pool_settings tried_again()
{
    brood::pool_settings settings(brood::slurm(of_two(2), impatient()));
    settings.attempts = brood::at_least_once(5);
    return settings;
}

/// A primary that is killed with its workers under way.
task<> doomed(process& self)
{
    pool<slow> calls(tried_again());
    auto ready = co_await calls.ready();
    self.send(ready);
    co_await self.message<bool>();
}

/// Calls that each have to come to one end, whatever ends meanwhile.
task<> all_answered(pool<slow>& calls, std::function<void()> meanwhile)
{
    std::vector<task<int>> results;
    for (int number = 0; number < 60; ++number)
        results.push_back(calls(number));
    int wanted = 0;
    for (auto& each : results)
    {
        auto number = co_await std::move(each);
        CHECK(number == wanted);
        if (++wanted == 10)
            meanwhile();
    }
}

} // namespace

TEST_WITH_SLURM(60s, "a pool by Slurm has workers on all of its nodes, and gives them back",
                "[remote][slurm]")
{
    {
        pool<my_node> calls(brood::slurm(of_two(4), impatient()));
        auto ready = co_await calls.ready();
        CHECK(ready);
        auto nodes = co_await places_of(calls);
        CHECK(nodes == std::set<std::string>{"n1", "n2"});
        co_await calls.finish();
    }
    auto given_back = []
    {
        return jobs().empty();
    };
    auto none = co_await eventually(20s, given_back);
    CHECK(none);
}

TEST_WITH_SLURM(60s, "a process by Slurm ends with its channel, its code or its signal",
                "[remote][slurm]")
{
    co_await ends_with_channel_and_signal(brood::slurm(of_two(2), impatient()));
}

TEST_WITH_SLURM(60s, "calls have their results although an srun is killed", "[remote][slurm]")
{
    pool<slow> calls(tried_again());
    auto ready = co_await calls.ready();
    CHECK(ready);
    auto kill_one = []
    {
        for (auto& child : children())
            if (child.name == "srun")
                return ::kill(child.pid, SIGKILL);
        return -1;
    };
    auto killed = [&]
    {
        CHECK(kill_one() == 0);
    };
    co_await all_answered(calls, killed);
    co_await calls.stop();
}

TEST_WITH_SLURM(60s,
                "calls have their results although a slurmstepd is killed, which leaves an "
                "srun that hangs",
                "[remote][slurm]")
{
    pool<slow> calls(tried_again());
    auto ready = co_await calls.ready();
    CHECK(ready);
    auto kill_one = [&]
    {
        auto daemons = slurm.step_daemons();
        CHECK(daemons.size() == 2);
        ::kill(daemons.front(), SIGKILL);
    };
    co_await all_answered(calls, kill_one);
    co_await calls.stop();
}

TEST_WITH_SLURM(60s, "nothing is left of a primary that is killed", "[remote][slurm]")
{
    auto primary = brood::fork<doomed>();
    auto ready = co_await primary.message<bool>();
    CHECK(ready == true);
    CHECK(slurm.step_daemons().size() == 2);
    primary.kill(SIGKILL);
    co_await primary.exit();
    auto nothing = [&]
    {
        return jobs().empty() && slurm.step_daemons().empty();
    };
    auto gone = co_await eventually(20s, nothing);
    CHECK(gone);
}

TEST_WITH_SLURM(30s, "an allocation that is refused is told at the start", "[remote][slurm]")
{
    auto options = of_two(2);
    options.partition = "nope";
    CHECK_THROWS_WITH(brood::slurm(options), ContainsSubstring("it knows no such partition"));
    co_return;
}

TEST_WITH_SLURM(30s, "why a worker did not come by Slurm is told with node and cure",
                "[remote][slurm]")
{
    auto settings = impatient();
    settings.program = "/no/such/program";
    auto told = co_await why_not(brood::slurm(of_two(2), settings));
    CHECK_THAT(told, ContainsSubstring("host n1: slurm: the program is not there"));
}
