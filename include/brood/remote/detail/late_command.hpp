// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/quiet_write.hpp>
#include <brood/process/environment.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/process/spawn_options.hpp>
#include <brood/remote/detail/pipe.hpp>
#include <brood/remote/launch_command.hpp>

#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>
#include <string_view>
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
    void become(const launch_command& command)
    {
        std::string text = "exec 3<&-; ";
        for (auto& [name, value] : command.variables)
            text += "export " + name + '=' + shell_quoted(value) + "; ";
        auto words = command;
        words.variables.clear();
        say(text + "exec " + to_string(words) + "\n");
    }

    /// There is none: it says why on its stderr, and ends with this code.
    void give_up(int code, const std::string& why)
    {
        say("printf '%s\\n' " + shell_quoted(why) + " >&2; exit " + std::to_string(code) + "\n");
    }

private:
    // The shell reads while this writes: a command may be longer than a pipe holds.
    void say(std::string_view text)
    {
        while (pipe_.writing && !text.empty())
        {
            auto count = quiet_write(pipe_.writing.get(), text);
            if (count <= 0)
                break;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
        pipe_.writing.reset();
    }

    pipe_of_ours pipe_;
};

} // namespace brood::detail
