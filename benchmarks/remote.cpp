// SPDX-License-Identifier: BSL-1.0
// Workers elsewhere, of which "elsewhere" is this machine: by a shell, by an sshd of our own, by a
// Slurm of two nodes of our own.
//
// usage: remote round_trip [COUNT]        microseconds for a call over TCP
//        remote calls WORKERS [COUNT]     calls a second, 16 under way for each worker
//        remote memory WORKERS            KiB of this process for each idle worker
//        remote idle WORKERS              milliseconds of this process's processor time in a second
//        remote start ssh|slurm [WORKERS] milliseconds until so many workers can be given calls
//        remote true ssh|slurm [COUNT]    until so many `ssh true` or `srun true`, begun at once,
//        have ended
//
//        remote simulated call [WORKERS]  microseconds of this process's processor time for a call,
//        remote simulated beat [WORKERS]  and for a heartbeat, there and back,
//        remote simulated idle [WORKERS]  milliseconds in a second of idle workers,
//        remote simulated memory [WORKERS] and KiB for each: one other process plays all of them
#include "measure.hpp"
#include "memory.hpp"
#include "simulated_workers.hpp"

#include <brood/brood.hpp>
#include <brood/pool.hpp>
#include <brood/remote.hpp>

#include "support/loop_slurm.hpp"
#include "support/ssh_server.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace
{

std::vector<std::string> words;

long number(std::size_t place, long otherwise)
{
    return words.size() > place ? std::stol(words.at(place)) : otherwise;
}

std::uint64_t next(std::uint64_t number)
{
    return number + 1;
}

using next_pool = brood::pool<next>;

brood::pool_settings started_by(std::shared_ptr<brood::launcher> launcher, long workers)
{
    brood::pool_settings settings(std::move(launcher));
    settings.size = static_cast<std::size_t>(workers);
    return settings;
}

std::shared_ptr<brood::launcher> by_shell(long workers)
{
    brood::command_options options;
    options.name = "sh";
    options.workers = static_cast<std::size_t>(workers);
    options.command = [](const brood::worker_program& program)
    {
        return brood::launch_command{"/bin/sh", {"-c", brood::remote_script(program)}, {}};
    };
    return brood::launch_by(options);
}

brood::task<> call_again_and_again(next_pool& pool, long times)
{
    for (long each = 0; each < times; ++each)
        co_await pool(static_cast<std::uint64_t>(each));
}

brood::task<> call_side_by_side(next_pool& pool, long times, long callers)
{
    brood::task_group group;
    for (long each = 0; each < callers; ++each)
        group.start(call_again_and_again(pool, times / callers));
    co_await group.join();
}

brood::task<> measure_calls(long workers, long callers, long count, bool rate)
{
    next_pool pool(by_shell(workers));
    co_await pool.ready();
    co_await call_side_by_side(pool, count / 10, callers);
    bench::stopwatch watch;
    co_await call_side_by_side(pool, count, callers);
    auto seconds = watch.seconds();
    auto calls = static_cast<double>(count);
    bench::report(rate ? calls / seconds : seconds * 1e6 / calls);
    co_await pool.stop();
}

brood::task<> measure_memory(long workers)
{
    // What a first worker brings along once, each further one does not.
    next_pool first(by_shell(1));
    co_await first.ready();
    auto before = bench::private_kilobytes(::getpid());
    next_pool pool(by_shell(workers));
    co_await pool.ready();
    co_await brood::sleep(std::chrono::seconds(1));
    bench::report((bench::private_kilobytes(::getpid()) - before) / static_cast<double>(workers));
    co_await pool.stop();
    co_await first.stop();
}

double processor_milliseconds()
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

brood::task<> measure_idle(long workers)
{
    constexpr int seconds = 5;
    next_pool pool(by_shell(workers));
    co_await pool.ready();
    co_await brood::sleep(std::chrono::seconds(1));
    auto before = processor_milliseconds();
    co_await brood::sleep(std::chrono::seconds(seconds));
    bench::report((processor_milliseconds() - before) / seconds);
    co_await pool.stop();
}

// ---- Workers that one process plays

/// Where they come to, and the process that plays them.
class simulation
{
public:
    explicit simulation(long workers) : workers_(workers)
    {
        bench::raise_descriptor_limit();
        brood::external_options options;
        options.token_file = token_file();
        options.workers = static_cast<std::size_t>(workers);
        options.report = [](const std::string&) {
        };
        launcher_ = brood::external("tcp://127.0.0.1:0", options);
    }

    const std::shared_ptr<brood::launcher>& launcher() const noexcept { return launcher_; }

    /// The workers come.
    void begin()
    {
        auto name = launcher_->name();
        auto endpoint = "tcp:" + name.substr(name.find("//") + 2);
        brood::spawn_options options;
        options.on_drop = brood::on_drop::kill;
        brood::arguments args{"play", endpoint, token_file(), std::to_string(workers_)};
        player_ = brood::spawn("/proc/self/exe", args, options);
    }

    brood::task<> end() { co_await player_.exit(); }

private:
    std::string token_file() const { return folder_ / "token"; }

    brood::test::temporary_directory folder_;
    long workers_;
    std::shared_ptr<brood::launcher> launcher_;
    brood::child_process player_;
};

brood::task<double> idle_milliseconds(std::chrono::milliseconds time)
{
    co_await brood::sleep(std::chrono::seconds(1));
    auto before = processor_milliseconds();
    co_await brood::sleep(time);
    co_return (processor_milliseconds() - before) * 1e3 / static_cast<double>(time.count());
}

brood::task<double> call_microseconds(next_pool& pool, long workers)
{
    auto count = 50 * workers;
    co_await call_side_by_side(pool, count / 10, workers);
    auto before = processor_milliseconds();
    co_await call_side_by_side(pool, count, workers);
    co_return (processor_milliseconds() - before) * 1e3 / static_cast<double>(count);
}

brood::task<> measure_simulated(const std::string& what, long workers)
{
    simulation played(workers);
    auto settings = started_by(played.launcher(), workers);
    constexpr std::chrono::milliseconds between_beats(500), asked_every(20); // for each worker
    if (what == "beat")
        settings.watchdog.stale_after = 4 * between_beats;
    auto before = bench::private_kilobytes(::getpid());
    next_pool pool(settings);
    played.begin();
    co_await pool.ready();
    double figure = 0;
    if (what == "call")
        figure = co_await call_microseconds(pool, workers);
    else if (what == "memory")
        figure = (bench::private_kilobytes(::getpid()) - before) / static_cast<double>(workers);
    else if (what == "beat")
        figure = co_await idle_milliseconds(5 * between_beats);
    else
        figure = co_await idle_milliseconds(2 * asked_every * workers);
    if (what == "beat")
        figure *= static_cast<double>(between_beats.count()) / static_cast<double>(workers);
    bench::report(figure);
    co_await pool.stop();
    co_await played.end();
}

brood::task<> until_ready(const std::shared_ptr<brood::launcher>& launcher, long workers)
{
    next_pool pool(started_by(launcher, workers));
    bench::stopwatch watch;
    auto ready = co_await pool.ready();
    if (!ready)
        std::abort();
    bench::report(watch.seconds() * 1e3);
    co_await pool.stop();
}

brood::task<> run_once(const brood::launch_command& command)
{
    auto ended = co_await brood::exec_file(command.program, command.args);
    if (!ended.success())
    {
        std::cerr << brood::to_string(command) << ": " << ended.err;
        std::abort();
    }
}

brood::task<> until_ended(const brood::launch_command& command, long count)
{
    brood::task_group group;
    bench::stopwatch watch;
    for (long each = 0; each < count; ++each)
        group.start(run_once(command));
    co_await group.join();
    bench::report(watch.seconds() * 1e3);
}

brood::task<> measure_ssh(bool start, long count)
{
    brood::test::ssh_server server;
    brood::ssh_settings settings;
    settings.options = server.options();
    auto hosts = brood::host_list("w1:" + std::to_string(count));
    auto launcher = brood::ssh(hosts, settings);
    auto command = brood::ssh_command(settings.options, hosts.hosts().at(0), "true");
    if (start)
        co_await until_ready(launcher, count);
    else
        co_await until_ended(command, count);
}

brood::task<> measure_in_allocation(bool start, long count)
{
    brood::slurm_options options;
    options.tasks = static_cast<std::size_t>(count);
    auto launcher = brood::slurm(options);
    brood::launch_command command{"srun", {"--overlap", "--exact", "-N1", "-n1", "true"}, {}};
    if (start)
        co_await until_ready(launcher, count);
    else
        co_await until_ended(command, count);
}

/// This program once more, inside an allocation of two nodes.
brood::task<> measure_slurm()
{
    constexpr unsigned processors_of_a_node = 64;
    brood::test::loop_slurm slurm(processors_of_a_node);
    std::vector<std::string> command{"-Q", "-N2", "--exclusive", "/proc/self/exe"};
    command.back() = brood::program_file::self().path;
    command.insert(command.end(), words.begin(), words.end());
    auto ended = co_await brood::exec_file("salloc", brood::arguments(command));
    std::cout << ended.out << std::flush;
    std::cerr << ended.err;
}

brood::task<> measure()
{
    auto& mode = words.at(0);
    if (mode == "round_trip")
        co_await measure_calls(1, 1, number(1, 20'000), false);
    else if (mode == "calls")
        co_await measure_calls(number(1, 2), number(1, 2) * 16, number(2, 200'000), true);
    else if (mode == "memory")
        co_await measure_memory(number(1, 64));
    else if (mode == "idle")
        co_await measure_idle(number(1, 64));
    else if (mode == "simulated")
        co_await measure_simulated(words.at(1), number(2, 1'000));
    else if (mode == "play")
        co_await bench::simulate_workers(words.at(1), words.at(2), number(3, 1));
    else if (words.at(1) == "ssh")
        co_await measure_ssh(mode == "start", number(2, 1));
    else if (std::getenv("SLURM_JOB_ID") != nullptr)
        co_await measure_in_allocation(mode == "start", number(2, 1));
    else
        co_await measure_slurm();
}

} // namespace

int main(int argc, char** argv)
{
    words.assign(argv + 1, argv + argc);
    return brood::run(measure);
}
