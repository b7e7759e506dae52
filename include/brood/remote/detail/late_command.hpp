// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/process/environment.hpp>
#include <brood/process/internal/pipe_ends.hpp>
#include <brood/process/pipe.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/process/spawn_options.hpp>
#include <brood/remote/launch_command.hpp>

#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// Throws spawn_error, as its start would, when there is no such program.
inline void check_installed(const std::string& program)
{
    auto is_there = [](const std::string& file)
    {
        return ::access(file.c_str(), X_OK) == 0;
    };
    if (program.find('/') != program.npos && is_there(program))
        return;
    std::istringstream path(environment().get("PATH").value_or("/usr/local/bin:/usr/bin:/bin"));
    for (std::string folder; std::getline(path, folder, ':');)
        if (is_there((folder.empty() ? "." : folder) + '/' + program))
            return;
    throw spawn_error(ENOENT, program, "exec", {}, {},
                      "install it on this machine, or name the path of another");
}

/// A command that is a process at once, and is told later which one: a shell that reads it from a
/// pipe. So what has to be awaited before has a process that can be signalled and that ends.
class late_command
{
public:
    /// What is started for it; it reads a descriptor that is added to the options.
    launch_command stand_in(spawn_options& options)
    {
        options.descriptors.insert_or_assign(3, stdio::from(std::move(pipe_.reading)));
        launch_command shell;
        shell.program = "/bin/sh";
        shell.args = {"/dev/fd/3"};
        return shell;
    }

    /// Says it, once. One that has been ended meanwhile hears nothing.
    void become(const asio::any_io_executor& executor, const launch_command& command)
    {
        std::string text = "exec 3<&-; ";
        for (auto& [name, value] : command.variables)
            text += "export " + name + '=' + shell_quoted(value) + "; ";
        auto words = command;
        words.variables.clear();
        say(executor, text + "exec " + to_string(words) + "\n");
    }

    /// There is none: it says why on its stderr, and ends with this code.
    void give_up(const asio::any_io_executor& executor, int code, const std::string& why)
    {
        say(executor,
            "printf '%s\\n' " + shell_quoted(why) + " >&2; exit " + std::to_string(code) + "\n");
    }

private:
    void say(const asio::any_io_executor& executor, std::string text)
    {
        if (pipe_.writing)
            asio::co_spawn(executor,
                           write(pipe_writer(executor, std::move(pipe_.writing)), std::move(text)),
                           asio::detached);
    }

    // A command may be longer than a pipe holds: the loop goes on until the shell has read it.
    static task<> write(pipe_writer to, std::string text)
    {
        try
        {
            co_await to.write(std::move(text));
        }
        catch (const std::system_error&)
        {
            // It has been ended.
        }
        to.close();
    }

    pipe_ends pipe_ = pipe_ends::made();
};

} // namespace brood::detail
