// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/slurm.hpp>

#include <brood/pool.hpp>
#include <brood/process/exec.hpp>
#include <brood/process/process.hpp>

#include "support/catch.hpp"
#include "support/launched.hpp"
#include "support/loop_slurm.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <asio/experimental/awaitable_operators.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
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

std::string my_program(int)
{
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

/// A worker that says its job, and when it is asked to end.
task<> until_asked(process& self)
{
    auto asked = self.shutdown();
    self.send(std::string(std::getenv("SLURM_JOB_ID")));
    co_await std::move(asked);
    self.send(std::string("asked"));
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

/// The jobs that there are: those that run, or in another state.
std::string jobs(const std::string& state = "R")
{
    auto options = brood::exec_options().timeout(10s);
    return brood::exec_file_sync("squeue", {"-h", "-t", state, "-o", "%i"}, options).out;
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

slurm_options whole_machine()
{
    slurm_options whole;
    whole.nodes = 2;
    return whole;
}

bool is_pending()
{
    return !jobs("PD").empty();
}

bool none_is_pending()
{
    return !is_pending();
}

/// A primary that is killed while it waits for an allocation.
task<> waits_for_turn(process& self)
{
    self.send(true);
    co_await brood::slurm_granted(whole_machine());
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

TEST_WITHIN(20s, "without Slurm here nothing is asked for, and that is told with the cure",
            "[remote][slurm]")
{
    std::string path = std::getenv("PATH");
    ::setenv("PATH", "/nowhere", 1);
    CHECK_THROWS_WITH(brood::slurm(of_two(2)), ContainsSubstring("salloc") &&
                                                   ContainsSubstring("install it on this machine"));
    ::setenv("PATH", path.c_str(), 1);
    co_return;
}

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

TEST_WITH_SLURM(60s, "an allocation is awaited, and a request that is cancelled is taken back",
                "[remote][slurm]")
{
    using namespace asio::experimental::awaitable_operators;
    auto whole = whole_machine();
    auto first = co_await brood::slurm_granted(whole);
    CHECK(first->workers() == 16);
    auto cancelled = co_await (brood::slurm_granted(whole) || eventually(20s, is_pending));
    REQUIRE(cancelled.index() == 1);
    auto taken_back = co_await eventually(20s, none_is_pending);
    CHECK(taken_back);
    first = nullptr;
    auto second = co_await brood::slurm_granted(whole);
    CHECK(second->workers() == 16);
    whole.partition = "nope";
    std::string refused;
    try
    {
        co_await brood::slurm_granted(whole);
    }
    catch (const std::runtime_error& told)
    {
        refused = told.what();
    }
    CHECK_THAT(refused, ContainsSubstring("it knows no such partition"));
}

TEST_WITH_SLURM(60s, "no request is left of a loop that goes, nor of a primary that is killed",
                "[remote][slurm]")
{
    auto first = co_await brood::slurm_granted(whole_machine());
    {
        asio::io_context other;
        asio::co_spawn(other, brood::slurm_granted(whole_machine()), [](auto, auto) {});
        auto waits = [&]
        {
            other.poll();
            return is_pending();
        };
        CHECK(wait_until(20s, waits));
    }
    auto taken_back = co_await eventually(20s, none_is_pending);
    CHECK(taken_back);

    auto primary = brood::fork<waits_for_turn>();
    auto begun = co_await primary.message<bool>();
    CHECK(begun == true);
    auto waits = co_await eventually(20s, is_pending);
    CHECK(waits);
    primary.kill(SIGKILL);
    co_await primary.exit();
    taken_back = co_await eventually(20s, none_is_pending);
    CHECK(taken_back);

    auto impatient = whole_machine();
    impatient.wait = 1s;
    std::string told;
    try
    {
        co_await brood::slurm_granted(impatient);
    }
    catch (const std::runtime_error& refused)
    {
        told = refused.what();
    }
    CHECK_THAT(told, ContainsSubstring("slurm: no nodes are free now: wait longer"));
    taken_back = co_await eventually(20s, none_is_pending);
    CHECK(taken_back);
}

TEST_WITH_SLURM(60s, "what workers by Slurm say can be encrypted", "[remote][slurm]")
{
    auto settings = impatient();
    settings.listen_on = {"0.0.0.0"}; // which is refused otherwise
    CHECK_THROWS_AS(brood::slurm(of_two(2), settings), std::invalid_argument);
    settings.encrypt = true;
    settings.listen_on.clear();
    pool<my_node> calls(brood::slurm(of_two(2), settings));
    auto ready = co_await calls.ready();
    CHECK(ready);
    auto node = co_await calls(1);
    CHECK((node == "n1" || node == "n2"));
    co_await calls.finish();
}

TEST_WITH_SLURM(60s, "the program is sent to the nodes before the first worker starts",
                "[remote][slurm]")
{
    auto settings = impatient();
    settings.sent_to = slurm.folder() / "sent program";
    {
        pool<my_program> calls(brood::slurm(of_two(2), settings));
        // Slurm takes long to clear a step away whose srun is killed while it starts.
        auto ready = co_await calls.ready();
        CHECK(ready);
        auto path = co_await calls(1);
        CHECK(path == settings.sent_to);
        co_await calls.finish();
    }
    settings.sent_to = "/proc/nowhere";
    auto told = co_await why_not(brood::slurm(of_two(2), settings));
    CHECK_THAT(told, ContainsSubstring("host n1: sending the program to /proc/nowhere: "));
}

TEST_WITH_SLURM(60s, "what Slurm asks of a worker at the end of its time is a request to finish",
                "[remote][slurm]")
{
    brood::spawn_options options;
    options.launcher = brood::slurm(of_two(2), impatient());
    auto child = brood::fork_with<until_asked>(options);
    auto job = co_await child.message<std::string>();
    REQUIRE(job);
    // As slurmctld does, KillWait before it kills.
    brood::launch_command command{"scancel", {"--signal=TERM", *job}, {}};
    co_await run(command);
    auto said = co_await child.message<std::string>();
    CHECK(said == "asked");
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITH_SLURM(60s, "starts beyond what a node takes at once wait for their turn",
                "[remote][slurm]")
{
    auto options = of_two(6);
    options.starts_at_once = 1;
    pool<slow> calls(brood::slurm(options, impatient()));
    auto all_came = [&]
    {
        std::size_t came = 0;
        auto stats = calls.stats();
        for (auto& each : stats.workers.workers)
            came += each.state == brood::worker_state::ready ? 1 : 0;
        return came == 6;
    };
    auto came = co_await eventually(40s, all_came);
    CHECK(came);
    CHECK(calls.stats().workers.failures == 0);
    co_await calls.finish();
}
