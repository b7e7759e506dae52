// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/command_launcher.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/pool.hpp>
#include <brood/process/process.hpp>
#include <brood/process/spawn.hpp>
#include <brood/remote/detail/build_id.hpp>
#include <brood/remote/detail/late_command.hpp>

#include "support/by_shell.hpp"
#include "support/catch.hpp"
#include "support/fixture.hpp"
#include "support/patience.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::command_options;
using brood::exit_cause;
using brood::launch_command;
using brood::pool;
using brood::pool_settings;
using brood::process;
using brood::task;
using brood::worker_program;
using brood::test::by_shell;
using brood::test::elsewhere;
using brood::test::eventually;
using brood::test::read_file;
using brood::test::temporary_directory;
using Catch::Matchers::ContainsSubstring;

namespace
{

task<> echo(process& self, std::string greeting)
{
    self.send(greeting);
    while (auto text = co_await self.message<std::string>())
        self.send(*text);
}

task<int> end_with(process& self, int code)
{
    self.send(static_cast<int>(::getpid()));
    co_return code;
}

task<> end_by(process& self, int number)
{
    self.send(static_cast<int>(::getpid()));
    co_await self.flush();
    ::kill(::getpid(), number);
    std::this_thread::sleep_for(20s);
}

task<> wait_for_stop(process& self)
{
    auto stopped = self.shutdown(); // from here on SIGTERM asks
    self.send(static_cast<int>(::getpid()));
    co_await std::move(stopped);
    self.send(std::string("stopped"));
}

task<> say_variable(process& self, std::string name)
{
    auto value = std::getenv(name.c_str());
    self.send(std::string(value == nullptr ? "none" : value));
    co_return;
}

task<> spin(process& self)
{
    self.send(static_cast<int>(::getpid()));
    co_await self.flush();
    for (;;)
        std::this_thread::sleep_for(1ms);
}

task<> serve(process& self)
{
    self.ready();
    while (auto text = co_await self.message<std::string>())
        self.send(*text + " from " + std::to_string(self.worker_id()));
}

int square(int number)
{
    return number * number;
}

pid_t my_pid()
{
    return ::getpid();
}

int die(int with)
{
    ::kill(::getpid(), with);
    return 0;
}

task<int> patient_square(int number)
{
    co_await brood::sleep(1ms);
    co_return number* number;
}

int late()
{
    while (!brood::this_call().cancelled())
        std::this_thread::sleep_for(1ms);
    return 1;
}

bool is_gone(pid_t pid)
{
    return ::kill(pid, 0) == -1;
}

/// A copy of this program that its linker has named otherwise.
std::string another_build(const temporary_directory& folder)
{
    std::string name;
    auto digits = brood::detail::build_id();
    for (std::size_t index = 0; index + 1 < digits.size(); index += 2)
        name += static_cast<char>(std::stoi(digits.substr(index, 2), nullptr, 16));
    auto content = read_file("/proc/self/exe");
    content.at(content.find(name)) ^= 1;
    auto path = folder.write("another", content);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
}

} // namespace

TEST_CASE("A worker of another build is refused, and one of which that is not known may come",
          "[command_launcher]")
{
    using brood::detail::refusal_of_build;
    CHECK(refusal_of_build("b", "a", "the program on n1", "copy it there") ==
          "the program on n1 is another build (b) than that of the primary (a): copy it there");
    CHECK(refusal_of_build("a", "a", "the program on n1", "copy it there") == "");
    CHECK(refusal_of_build("", "a", "the program on n1", "copy it there") == "");
    CHECK(refusal_of_build("b", "", "the program on n1", "copy it there") == "");
}

TEST_CASE("A launcher by command says what it cannot", "[command_launcher]")
{
    auto launcher = brood::launch_by(by_shell());
    CHECK(launcher->name() == "sh here");
    CHECK(launcher->workers() == 2);
    CHECK_FALSE(launcher->capabilities().descriptors);
    CHECK_FALSE(launcher->capabilities().shared_memory);
    CHECK(launcher->capabilities().graceful_signal);
}

TEST_WITHIN(30s, "A process elsewhere is a child with a channel like any other",
            "[command_launcher]")
{
    auto child = brood::fork_with<echo>(elsewhere(), "hello");
    auto greeting = co_await child.message<std::string>();
    CHECK(greeting == "hello");
    child.send(std::string("and back"));
    auto back = co_await child.message<std::string>();
    CHECK(back == "and back");
    child.disconnect();
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(30s, "How a process elsewhere ended is told: its code, or its signal",
            "[command_launcher]")
{
    auto coded = brood::fork_with<end_with>(elsewhere(), 42);
    auto status = co_await coded.exit();
    CHECK(status.code == 42);
    auto killed = brood::fork_with<end_by>(elsewhere(), SIGKILL);
    status = co_await killed.exit();
    CHECK(status.signal == SIGKILL);
    CHECK(status.code == 0);
}

TEST_WITHIN(30s, "What a process elsewhere sent last arrives, although its launcher has ended",
            "[command_launcher]")
{
    auto child = brood::fork_with<end_with>(elsewhere(), 0);
    co_await child.exit();
    auto pid = co_await child.message<int>();
    CHECK(pid);
    auto none = co_await child.message<int>();
    CHECK_FALSE(none);
}

TEST_WITHIN(30s, "Signals reach a process elsewhere and not its launcher, also one that spins",
            "[command_launcher]")
{
    auto patient = brood::fork_with<wait_for_stop>(elsewhere());
    auto pid = co_await patient.message<int>();
    REQUIRE(pid);
    CHECK(patient.pid() != *pid);
    CHECK(patient.kill(SIGTERM));
    auto word = co_await patient.message<std::string>();
    CHECK(word == "stopped");
    auto status = co_await patient.exit();
    CHECK(status.success());
    CHECK_FALSE(patient.kill(SIGTERM));

    auto spinning = brood::fork_with<spin>(elsewhere());
    pid = co_await spinning.message<int>();
    REQUIRE(pid);
    CHECK(spinning.kill(SIGKILL));
    status = co_await spinning.exit();
    CHECK(status.signal == SIGKILL);
    CHECK(is_gone(*pid));
}

TEST_WITHIN(30s, "A stop policy is walked as for a child here", "[command_launcher]")
{
    auto patient = brood::fork_with<wait_for_stop>(elsewhere());
    auto pid = co_await patient.message<int>();
    CHECK(pid);
    auto status = co_await patient.stop(brood::stop_policy(10s));
    CHECK(status.success());
    auto spinning = brood::fork_with<spin>(elsewhere());
    pid = co_await spinning.message<int>();
    status = co_await spinning.stop(brood::stop_policy(100ms, SIGUSR1));
    CHECK(status.signal != 0);
    auto gone = co_await eventually(10s, [&] { return is_gone(*pid); });
    CHECK(gone);
}

TEST_WITHIN(30s, "A process elsewhere whose launcher is killed ends, however busy it is",
            "[command_launcher]")
{
    auto spinning = brood::fork_with<spin>(elsewhere());
    auto pid = co_await spinning.message<int>();
    REQUIRE(pid);
    ::kill(spinning.pid(), SIGKILL);
    auto status = co_await spinning.exit();
    CHECK(status.lost); // the signal was not for the process elsewhere
    CHECK(status.signal == 0);
    auto gone = co_await eventually(10s, [&] { return is_gone(*pid); });
    CHECK(gone);
}

TEST_WITHIN(30s, "Variables that are set for it reach a process elsewhere, directories too",
            "[command_launcher]")
{
    auto options = elsewhere();
    options.env.emplace().set("ROLE", "a b'c");
    auto child = brood::fork_with<say_variable>(options, "ROLE");
    auto role = co_await child.message<std::string>();
    CHECK(role == "a b'c");
    options.cwd = "/";
    auto there = brood::fork_with<say_variable>(options, "PWD");
    auto folder = co_await there.message<std::string>();
    CHECK(folder == "/");
    co_await child.exit();
    co_await there.exit();
}

TEST_WITHIN(30s, "Noise on stdout and a greeting before the worker are output, and no frames",
            "[command_launcher]")
{
    auto options = elsewhere(by_shell("echo welcome to this machine; "));
    options.stdout_ = brood::stdio::pipe();
    auto child = brood::fork_with<echo>(options, "hello");
    auto greeting = co_await child.message<std::string>();
    CHECK(greeting == "hello");
    child.disconnect();
    auto said = co_await child.out().read_all();
    CHECK(said == "welcome to this machine\n");
    co_await child.exit();
}

TEST_WITHIN(30s, "A command that fails, or does not bring the program, ends as the child does",
            "[command_launcher]")
{
    auto options = by_shell();
    options.program = "/nowhere/at/all";
    auto child = brood::fork_with<echo>(elsewhere(options), "hello");
    auto none = co_await child.message<std::string>();
    CHECK_FALSE(none);
    auto status = co_await child.exit();
    CHECK(status.code == 127);

    options = by_shell();
    options.command = [](const worker_program&)
    {
        launch_command command;
        command.program = "/nowhere/ssh";
        return command;
    };
    CHECK_THROWS_AS(brood::fork_with<echo>(elsewhere(options), "hello"), brood::spawn_error);
}

TEST_WITHIN(30s, "Another build at the path of the program is told with its host and the cure",
            "[command_launcher]")
{
    if (brood::detail::build_id().empty())
    {
        brood::test::skip("a linker that names what it makes");
        co_return;
    }
    temporary_directory folder;
    auto options = by_shell();
    options.program = another_build(folder);
    auto started = elsewhere(options);
    started.stderr_ = brood::stdio::pipe();
    auto child = brood::fork_with<echo>(started, "hello");
    auto thrown = std::string();
    try
    {
        co_await child.message<std::string>();
    }
    catch (const brood::error& why)
    {
        CHECK(why.code() == brood::errc::version_mismatch);
        thrown = why.what();
    }
    CHECK_THAT(thrown, ContainsSubstring("the program on ") &&
                           ContainsSubstring(" is another build (") &&
                           ContainsSubstring(brood::detail::build_id() + "): copy it there"));
    auto said = co_await child.err().read_all();
    CHECK_THAT(said, ContainsSubstring("its primary refuses it: the program on "));
    auto status = co_await child.exit();
    CHECK(status.code == 1);
}

TEST_WITHIN(30s, "A worker that does not come in time is given up, with what was missing",
            "[command_launcher]")
{
    auto options = by_shell();
    options.command = [](const worker_program&)
    {
        launch_command command;
        command.program = "/bin/sleep";
        command.args = {"20"};
        return command;
    };
    options.join_within = 100ms;
    auto child = brood::fork_with<echo>(elsewhere(options), "hello");
    auto thrown = std::string();
    try
    {
        co_await child.message<std::string>();
    }
    catch (const brood::error& why)
    {
        CHECK(why.code() == brood::errc::timed_out);
        thrown = why.what();
    }
    CHECK_THAT(thrown, ContainsSubstring("did not come within 100 ms"));
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_WITHIN(30s, "What cannot leave this machine is refused before anything starts",
            "[command_launcher]")
{
    auto options = elsewhere();
    options.descriptors.emplace(3, brood::stdio::pipe());
    CHECK_THROWS_AS(brood::fork_with<echo>(options, "hello"), brood::spawn_error);
    auto child = brood::fork_with<echo>(elsewhere(), "hello");
    auto code = std::error_code();
    try
    {
        child.send(std::string("with"), brood::descriptor(::dup(0)));
    }
    catch (const brood::error& why)
    {
        code = why.code();
    }
    CHECK(code == brood::errc::not_local);
    child.disconnect();
    co_await child.exit();
}

TEST_WITHIN(30s, "A command that is longer than a pipe keeps no loop waiting, and is run whole",
            "[command_launcher]")
{
    brood::detail::late_command late;
    brood::spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    auto stand_in = late.stand_in(options);
    auto shell = brood::spawn(stand_in.program, stand_in.args, options);
    shell.kill(SIGSTOP);
    launch_command command;
    command.program = "printf";
    command.args = {"%s%s", std::string(100'000, 'a'), std::string(100'000, 'b')};
    late.become(brood::default_executor(), command); // would not come back
    co_await brood::sleep(1ms);
    shell.kill(SIGCONT);
    auto said = co_await shell.out().read_all();
    CHECK(said == std::string(100'000, 'a') + std::string(100'000, 'b'));
    auto status = co_await shell.exit();
    CHECK(status.success());

    // One that is ended before it has heard all of it.
    brood::detail::late_command other;
    stand_in = other.stand_in(options);
    auto deaf = brood::spawn(stand_in.program, stand_in.args, options);
    deaf.kill(SIGSTOP);
    other.become(brood::default_executor(), command);
    co_await brood::sleep(1ms);
    deaf.kill(SIGKILL);
    co_await deaf.exit();
}

TEST_WITHIN(60s, "A cluster elsewhere starts, answers, replaces the dead and stops",
            "[command_launcher]")
{
    brood::cluster<serve> workers(brood::launch_by(by_shell()));
    CHECK(workers.size() == 2);
    auto ready = co_await workers.ready();
    CHECK(ready);
    auto first = workers.workers().front();
    first.process().send(std::string("word"));
    auto answer = co_await first.process().message<std::string>();
    CHECK(answer == "word from " + std::to_string(first.id()));
    first.process().kill(SIGKILL);
    auto ended = co_await first.exit();
    CHECK(ended.cause == exit_cause::signalled);
    CHECK(ended.status.signal == SIGKILL);
    auto restarted =
        co_await eventually(20s, [&] { return workers.worker_with_id(3).has_value(); });
    CHECK(restarted);
    ready = co_await workers.ready();
    CHECK(ready);
    co_await workers.stop();
}

TEST_WITHIN(60s, "A worker elsewhere that stands still is found by its silence",
            "[command_launcher]")
{
    auto settings = brood::settings_for(brood::launch_by(by_shell()));
    settings.size = 1;
    settings.watchdog.tick = 100ms;
    settings.watchdog.stale_after = 1s;
    brood::cluster<serve> workers(settings);
    co_await workers.ready();
    auto first = workers.workers().front();
    CHECK(first.process().kill(SIGSTOP));
    auto ended = co_await first.exit();
    CHECK(ended.cause == exit_cause::lost); // one that is frozen cannot say how it was killed
    CHECK_THAT(ended.reason, ContainsSubstring("nothing came from it"));
    co_await workers.stop();
}

TEST_WITHIN(60s, "A pool elsewhere calls as one here", "[command_launcher]")
{
    pool<square> calls(brood::launch_by(by_shell()));
    std::vector<task<int>> results;
    for (int number = 0; number < 100; ++number)
        results.push_back(calls(number));
    for (int number = 0; number < 100; ++number)
    {
        auto result = co_await std::move(results[static_cast<std::size_t>(number)]);
        CHECK(result == number * number);
    }
    pool<my_pid> pids(brood::launch_by(by_shell()));
    auto pid = co_await pids();
    CHECK(pid != ::getpid());
    pool<patient_square> patient(brood::launch_by(by_shell()));
    auto result = co_await patient(12);
    CHECK(result == 144);
    co_await patient.stop();
    co_await pids.stop();
    co_await calls.finish();
}

TEST_WITHIN(60s, "A call that ends its worker elsewhere fails with that, and others go on",
            "[command_launcher]")
{
    pool<die> calls(brood::launch_by(by_shell()));
    auto lost = false;
    try
    {
        co_await calls(SIGKILL);
    }
    catch (const brood::worker_lost& what)
    {
        lost = true;
        CHECK(what.may_have_run());
    }
    CHECK(lost);
    auto result = co_await calls(0);
    CHECK(result == 0);
    co_await calls.stop();
}

TEST_WITHIN(60s, "A deadline holds on another machine, whatever its clock says",
            "[command_launcher]")
{
    pool<late> calls(brood::launch_by(by_shell()));
    auto ready = co_await calls.ready();
    CHECK(ready);
    brood::call_options soon;
    soon.deadline = 100ms;
    auto thrown = std::error_code();
    try
    {
        co_await calls.with(soon)();
    }
    catch (const brood::error& why)
    {
        thrown = why.code();
    }
    CHECK(thrown == brood::errc::timed_out);
    co_await calls.finish(); // its worker saw the deadline, and was not killed
}

TEST_WITHIN(120s, "Calls of a pool elsewhere have one outcome each while workers are killed",
            "[command_launcher]")
{
    pool_settings settings(brood::launch_by(by_shell()));
    settings.attempts = brood::at_least_once(20);
    settings.restart.per_cluster.failures = 1000;
    settings.restart.per_slot.failures = 1000;
    pool<square> calls(settings);
    co_await calls.ready();
    int done = 0, failed = 0;
    for (int round = 0; round < 5; ++round)
    {
        std::vector<task<int>> results;
        for (int number = 0; number < 200; ++number)
            results.push_back(calls(number));
        auto stats = calls.stats();
        for (auto& each : stats.workers.workers)
            if (round % 2 == 0)
                ::kill(each.pid, SIGKILL);
        for (int number = 0; number < 200; ++number)
        {
            try
            {
                auto result = co_await std::move(results[static_cast<std::size_t>(number)]);
                CHECK(result == number * number);
                ++done;
            }
            catch (const brood::worker_lost&)
            {
                ++failed;
            }
        }
    }
    CHECK(done + failed == 1000);
    CHECK(failed == 0);
    co_await calls.stop();
}
