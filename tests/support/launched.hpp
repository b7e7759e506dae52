// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exec.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/launcher.hpp>
#include <brood/process/process.hpp>
#include <brood/process/spawn.hpp>
#include <brood/remote/launch_command.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

// What tests of all launchers do.

namespace brood::test
{

/// All values of a byte, in order.
inline std::string every_byte()
{
    std::string all;
    for (int byte = 0; byte < 256; ++byte)
        all += static_cast<char>(byte);
    return all;
}

/// The variables of this process, and those that a command sets.
inline environment with(const launch_command& command)
{
    environment variables;
    for (auto& [name, value] : command.variables)
        variables.set(name, value);
    return variables;
}

/// Runs a command to its end.
inline task<exec_result> run(launch_command command, std::string input = "")
{
    auto options = exec_options().input(input).timeout(std::chrono::seconds(60)).env(with(command));
    return exec_file(command.program, command.args, options);
}

/// Starts one whose streams are pipes.
inline child_process start(const launch_command& command)
{
    spawn_options options;
    options.stdin_ = stdio::pipe();
    options.stdout_ = stdio::pipe();
    options.stderr_ = stdio::pipe();
    options.env = with(command);
    return spawn(command.program, command.args, options);
}

/// A worker that says everything back.
inline task<> echo(process& self)
{
    while (auto text = co_await self.message<std::string>())
        self.send(*text);
}

/// A process of a launcher carries what it is sent, and ends with its channel or by SIGKILL.
inline task<> ends_with_channel_and_signal(std::shared_ptr<launcher> by)
{
    spawn_options options;
    options.launcher = std::move(by);
    auto child = fork_with<echo>(options);
    child.send(std::string(100'000, 'x'));
    auto back = co_await child.message<std::string>();
    CHECK((back && back->size() == 100'000));
    child.disconnect();
    auto status = co_await child.exit();
    CHECK(status.success());
    CHECK(status.why == "");
    auto killed = fork_with<echo>(options);
    killed.send(std::string("a"));
    back = co_await killed.message<std::string>();
    CHECK(back);
    CHECK(killed.kill(SIGKILL));
    status = co_await killed.exit();
    CHECK(status.signal == SIGKILL);
}

/// A process of a launcher that cannot come: how that is told.
inline task<std::string> why_not(std::shared_ptr<launcher> by)
{
    spawn_options options;
    options.launcher = std::move(by);
    options.stderr_ = stdio::pipe();
    auto child = fork_with<echo>(options);
    auto none = co_await child.message<std::string>();
    CHECK_FALSE(none);
    auto status = co_await child.exit();
    CHECK_FALSE(status.success());
    // Whoever reads there sees what he always did.
    auto said = co_await child.err().read_all();
    CHECK_FALSE(said.empty());
    co_return to_string(status);
}

/// Where the calls of a pool are done that say it.
template <class Pool>
task<std::set<std::string>> places_of(Pool& calls)
{
    std::set<std::string> places;
    std::vector<task<std::string>> results;
    for (int number = 0; number < 40; ++number)
        results.push_back(calls(number));
    for (auto& each : results)
    {
        auto place = co_await std::move(each);
        places.insert(place);
    }
    co_return places;
}

} // namespace brood::test
