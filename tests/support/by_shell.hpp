// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/spawn_options.hpp>
#include <brood/remote/command_launcher.hpp>
#include <brood/remote/command_options.hpp>
#include <brood/remote/launch_command.hpp>

#include <chrono>
#include <string>

namespace brood::test
{

/// The shell of this machine stands for another machine. Before the program it reads a text of the
/// test.
inline command_options by_shell(const std::string& before = {})
{
    command_options options;
    options.name = "sh here";
    options.command = [before](const worker_program& program)
    {
        launch_command command;
        command.program = "/bin/sh";
        command.args = {"-c", before + remote_script(program)};
        return command;
    };
    options.workers = 2;
    options.orphan_grace = std::chrono::seconds(1);
    return options;
}

/// For a process that is started so.
inline spawn_options elsewhere(const command_options& by = by_shell())
{
    spawn_options options;
    options.launcher = launch_by(by);
    return options;
}

} // namespace brood::test
