// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

namespace brood::detail
{

/// What to do when a program cannot be executed. `searched` is where it was looked for, `cwd` the
/// folder in which it would have begun.
inline std::string advice_for_exec(int error_number, std::string_view program,
                                   std::string_view searched, std::string_view cwd)
{
    auto has_path = program.find('/') != std::string_view::npos;
    if (error_number == ENOENT && !has_path)
        return "it is in no folder of its PATH, " + std::string(searched);
    if (error_number == ENOENT && !program.starts_with('/'))
        return "its path is relative to " +
               (cwd.empty() ? "the working directory of this process" : std::string(cwd)) +
               "; of a script, the program in its first line may be missing";
    switch (error_number)
    {
    case ENOENT:
        return "of a script, the program in its first line may be missing";
    case EACCES:
        return "it, and the folders that lead to it, must be executable for its user: chmod +x";
    case ENOEXEC:
        return "it is no program for this machine; the first line of a script names one: #!/bin/sh";
    case E2BIG:
        return "its arguments or its environment are too long: send them by stdin, a file or a "
               "message";
    case ETXTBSY:
        return "somebody has it open to write";
    default:
        return {};
    }
}

/// What to do when a step of a start fails for this reason; empty when that says all.
inline std::string advice_for(std::string_view step, int error_number)
{
    if (error_number == EMFILE)
        return "close descriptors, or raise RLIMIT_NOFILE (ulimit -n)";
    if (step == "fork" && error_number == EAGAIN)
        return "its user, or its control group, has as many processes as it may: end some, or "
               "raise RLIMIT_NPROC (ulimit -u), or pids.max";
    if (step == "ids" && error_number == EPERM)
        return "only root may give a child another user, group or groups";
    if (step == "limits" && error_number == EPERM)
        return "only root may raise a hard limit";
    if (step == "group" && error_number == EPERM)
        return "a child can join a process group of its own session alone";
    if (step == "cwd" && (error_number == ENOENT || error_number == ENOTDIR))
        return "the folder must be there before the start";
    return {};
}

} // namespace brood::detail
