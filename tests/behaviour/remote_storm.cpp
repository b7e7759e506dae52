// SPDX-License-Identifier: BSL-1.0
// Workers elsewhere of which somebody dies all the time: the worker, what carries it, or what
// started it. Every caller has exactly one result, and nothing is left on any side.
//
// BROOD_TEST_STORM=10000 makes the storm so many calls long.
#include <brood/base/task_group.hpp>
#include <brood/pool.hpp>
#include <brood/process/exec.hpp>
#include <brood/remote/slurm.hpp>
#include <brood/remote/ssh.hpp>

#include "support/catch.hpp"
#include "support/loop_slurm.hpp"
#include "support/patience.hpp"
#include "support/ssh_server.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::test::eventually;

namespace
{

using processes = std::vector<pid_t>;

int calls_of_a_storm()
{
    auto told = std::getenv("BROOD_TEST_STORM");
    return told == nullptr ? 500 : std::atoi(told);
}

int doubled_slowly(int number)
{
    std::this_thread::sleep_for(10ms);
    return 2 * number;
}

/// The workers, wherever they believe to be: this program, in another process.
processes workers_here()
{
    std::error_code gone;
    auto program = std::filesystem::read_symlink("/proc/self/exe");
    processes found;
    for (auto& entry : std::filesystem::directory_iterator("/proc", gone))
    {
        auto pid = std::atoi(entry.path().filename().c_str());
        if (pid > 0 && pid != ::getpid() &&
            std::filesystem::read_symlink(entry.path() / "exe", gone) == program)
            found.push_back(pid);
    }
    return found;
}

pool_settings for_storms(std::shared_ptr<brood::launcher> launcher)
{
    pool_settings settings(std::move(launcher));
    settings.attempts = brood::at_least_once(50);
    settings.restart.per_slot = brood::restart_limit::unlimited();
    settings.restart.per_cluster = brood::restart_limit::unlimited();
    settings.restart.delay.base = settings.restart.delay.cap = 10ms;
    return settings;
}

/// The commands here that started the workers.
processes commands_of(const pool<doubled_slowly>& calls)
{
    processes found;
    for (auto& each : calls.stats().workers.workers)
        if (each.pid > 0)
            found.push_back(each.pid);
    return found;
}

std::size_t ready_of(const pool<doubled_slowly>& calls)
{
    auto workers = calls.stats().workers.workers;
    auto is_ready = [](auto& each)
    {
        return each.state == brood::worker_state::ready;
    };
    return static_cast<std::size_t>(std::ranges::count_if(workers, is_ready));
}

/// Kills one of the parties, chosen among all kinds, again and again: as long as half of the
/// workers are ready, however slowly they start on a busy machine.
task<> kill_somebody(const pool<doubled_slowly>& calls,
                     const std::vector<std::function<processes()>>& parties, const bool& over)
{
    std::minstd_rand random(4711);
    while (!over)
    {
        co_await brood::sleep(150ms);
        if (ready_of(calls) < 2)
            continue;
        auto chosen = parties.at(random() % parties.size())();
        if (!chosen.empty())
            ::kill(chosen.at(random() % chosen.size()), SIGKILL);
    }
}

task<> call_up_to(pool<doubled_slowly>& calls, int count, int& last, int& right)
{
    while (last < count)
    {
        auto number = ++last;
        auto result = co_await calls(number);
        right += result == 2 * number;
    }
}

task<> storm(pool<doubled_slowly>& calls, const std::vector<std::function<processes()>>& parties)
{
    auto ready = co_await calls.ready();
    CHECK(ready);
    bool over = false;
    brood::task_group killers, callers;
    killers.start(kill_somebody(calls, parties, over));
    int last = 0, right = 0;
    for (int each = 0; each < 16; ++each)
        callers.start(call_up_to(calls, calls_of_a_storm(), last, right));
    co_await callers.join();
    over = true;
    co_await killers.join();
    CHECK(right == last);
    CHECK(last >= calls_of_a_storm());
    co_await calls.stop();
    auto none = co_await eventually(20s, [] { return workers_here().empty(); });
    CHECK(none);
}

} // namespace

TEST_WITH_SSH(600s, "A storm of kills over ssh leaves each call one result", "[ssh][storm]")
{
    brood::ssh_settings settings;
    settings.options = server.options();
    settings.orphan_grace = 1s;
    settings.placement.failures = 0; // no host is set aside
    pool<doubled_slowly> calls(for_storms(brood::ssh({"w1:2", "w2:2"}, settings)));
    auto sessions = [&server]
    {
        return server.sessions();
    };
    auto commands = [&calls]
    {
        return commands_of(calls);
    };
    std::vector<std::function<processes()>> parties{workers_here, sessions, commands};
    co_await storm(calls, parties);
    auto closed = co_await eventually(20s, [&] { return server.sessions().empty(); });
    CHECK(closed);
}

TEST_WITH_SLURM(600s, "A storm of kills by Slurm leaves each call one result", "[slurm][storm]")
{
    brood::slurm_options options;
    options.nodes = 2;
    options.tasks = 4;
    brood::slurm_settings settings;
    settings.orphan_grace = 1s;
    settings.placement.failures = 0; // no node is set aside
    {
        pool<doubled_slowly> calls(for_storms(brood::slurm(options, settings)));
        auto daemons = [&slurm]
        {
            return slurm.step_daemons();
        };
        auto commands = [&calls]
        {
            return commands_of(calls);
        };
        std::vector<std::function<processes()>> parties{workers_here, daemons, commands};
        co_await storm(calls, parties);
    }
    auto no_step = co_await eventually(20s, [&] { return slurm.step_daemons().empty(); });
    CHECK(no_step);
}
