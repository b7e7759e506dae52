// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/arguments.hpp>

#include <map>
#include <string>
#include <string_view>

namespace brood
{

/// A program as it is to run on another machine.
struct worker_program
{
    std::string path;     ///< Of the program there; without a slash it is searched in PATH.
    arguments args = {};  ///< Reach the program literally.
    std::string cwd = {}; ///< The directory it starts in; empty for where the launcher starts it.
    std::map<std::string, std::string> variables = {}; ///< What it finds beside its environment.
};

/// A command of this machine that starts a worker elsewhere, or has to do with one: for spawn().
struct launch_command
{
    std::string program;
    arguments args = {};
    std::map<std::string, std::string> variables = {}; ///< To be set for it beside the environment.

    friend bool operator==(const launch_command&, const launch_command&) = default;
};

/// As one would type it: "SRUN_CPUS_PER_TASK=1 srun -n1 'a b'".
std::string to_string(const launch_command& command);

/// The text as one word of sh(1): as it is when nothing in it means anything to a shell, else
/// between single quotes. For what people read, and for sh alone.
std::string shell_quoted(std::string_view text);

/// What a login shell, whichever it is, runs as this program: "exec /bin/sh -c '...; exit $?'".
///
/// sshd gives a command to the shell of the user, and sh, bash, csh and fish agree on little: here
/// they read one word that none of them changes, and sh makes the rest of it. Arguments, directory
/// and variables reach the program byte for byte, line breaks and what is not ASCII too. The
/// program stays a child of sh: one that is ended by a signal is 128 + n and not the 255 of a lost
/// connection. Code 125 says that the directory could not be entered. Throws std::invalid_argument
/// for a zero byte, a program without a name, and a name of a variable that no shell takes.
std::string remote_script(const worker_program& program);

/// What sh there reads of it: for a text of one's own around it.
std::string sh_text(const worker_program& program);

/// The same of a text for sh: "exec /bin/sh -c '...'". Throws std::invalid_argument for a zero
/// byte.
std::string remote_script(std::string_view text_for_sh);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/launch_command.ipp>
#endif
