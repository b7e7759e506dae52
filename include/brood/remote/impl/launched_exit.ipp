// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/signal.hpp>
#include <brood/remote/detail/ssh_complaint.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/remote/slurm_command.hpp>

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood
{
namespace detail
{

/// As strsignal(3) says it without a locale, which is what srun prints.
inline constexpr std::array signal_texts{
    std::pair{SIGHUP, std::string_view("Hangup")},
    std::pair{SIGINT, std::string_view("Interrupt")},
    std::pair{SIGQUIT, std::string_view("Quit")},
    std::pair{SIGILL, std::string_view("Illegal instruction")},
    std::pair{SIGTRAP, std::string_view("Trace/breakpoint trap")},
    std::pair{SIGABRT, std::string_view("Aborted")},
    std::pair{SIGBUS, std::string_view("Bus error")},
    std::pair{SIGFPE, std::string_view("Floating point exception")},
    std::pair{SIGKILL, std::string_view("Killed")},
    std::pair{SIGUSR1, std::string_view("User defined signal 1")},
    std::pair{SIGSEGV, std::string_view("Segmentation fault")},
    std::pair{SIGUSR2, std::string_view("User defined signal 2")},
    std::pair{SIGPIPE, std::string_view("Broken pipe")},
    std::pair{SIGALRM, std::string_view("Alarm clock")},
    std::pair{SIGTERM, std::string_view("Terminated")},
    std::pair{SIGXCPU, std::string_view("CPU time limit exceeded")},
    std::pair{SIGXFSZ, std::string_view("File size limit exceeded")},
    std::pair{SIGSYS, std::string_view("Bad system call")},
};

/// The last thing that srun said of its only task, "Killed"; empty when it said nothing.
inline std::string_view said_of_task(std::string_view err)
{
    constexpr std::string_view mark = ": task 0: ", begin = "srun: error: ";
    for (auto at = err.rfind(mark); at != err.npos;
         at = at == 0 ? err.npos : err.rfind(mark, at - 1))
    {
        auto line = err.find_last_of('\n', at);
        line = line == err.npos ? 0 : line + 1;
        if (err.substr(line, begin.size()) != begin)
            continue;
        auto said = err.substr(at + mark.size());
        return said.substr(0, said.find_first_of("\r\n"));
    }
    return {};
}

inline exit_status ended_by_signal(exit_status status, int signal)
{
    status.code = 0;
    status.signal = signal;
    return status;
}

/// 128 + n as a shell says it; nothing for another code.
inline std::optional<int> signal_in_code(int code)
{
    constexpr int last_signal = 64;
    return code > 128 && code <= 128 + last_signal ? std::optional(code - 128) : std::nullopt;
}

inline launched_exit ended_unknown(exit_status status, std::string why)
{
    // What ended the launcher did not end the worker.
    status.code = status.signal = 0;
    status.core_dumped = false;
    status.lost = true;
    return {status, exit_exactness::none, std::move(why)};
}

/// The launcher was ended itself, or nobody knows how.
inline std::optional<launched_exit> without_launcher(const exit_status& status,
                                                     const std::string& name)
{
    if (status.lost)
        return ended_unknown(status, "somebody else collected how " + name + " ended");
    if (status.signal != 0)
        return ended_unknown(status, name + " was ended by " + signal_name(status.signal));
    return std::nullopt;
}

} // namespace detail

BROOD_INLINE std::string to_string(exit_exactness exactness)
{
    switch (exactness)
    {
    case exit_exactness::exact:
        return "exact";
    case exit_exactness::shell128:
        return "128 + n";
    case exit_exactness::none:
        return "unknown";
    }
    return "exactness " + std::to_string(static_cast<int>(exactness));
}

BROOD_INLINE launched_exit exit_by_ssh(const exit_status& of_ssh, std::string_view err)
{
    if (auto ended = detail::without_launcher(of_ssh, "ssh"))
        return *ended;
    auto why = detail::ssh_complaint(of_ssh.code, err);
    if (of_ssh.code == 255 && !why)
        why = "the connection was lost, or the worker ended with code 255";
    if (why)
        return detail::ended_unknown(of_ssh, *why);
    if (auto signal = detail::signal_in_code(of_ssh.code))
        return {detail::ended_by_signal(of_ssh, *signal), exit_exactness::shell128, {}};
    return {of_ssh, exit_exactness::exact, {}};
}

BROOD_INLINE launched_exit exit_by_srun(const exit_status& of_srun, std::string_view err)
{
    if (auto ended = detail::without_launcher(of_srun, "srun"))
        return *ended;
    if (of_srun.code == 0)
        return {of_srun, exit_exactness::exact, {}};
    auto why = slurm_failure(of_srun.code, err);
    auto said = detail::said_of_task(err);
    if (auto core = said.find(" (core dumped)"); core != said.npos)
        said = said.substr(0, core);
    auto never_ran = err.find("execve()") != err.npos;
    if (said.empty() ? !why.empty() : never_ran)
        return detail::ended_unknown(of_srun, why);
    if (said == "Exited with exit code " + std::to_string(of_srun.code))
        return {of_srun, exit_exactness::exact, why};
    // Slurm makes a signal of its own of what the kernel did.
    if (said == "Out Of Memory")
        return {detail::ended_by_signal(of_srun, SIGKILL), exit_exactness::exact, why};
    auto signal = detail::signal_in_code(of_srun.code);
    if (!signal)
    {
        auto failed = said.empty() && err.find("srun: ") != err.npos;
        return failed ? detail::ended_unknown(of_srun, "srun failed")
                      : launched_exit{of_srun, exit_exactness::exact, why};
    }
    launched_exit ended{detail::ended_by_signal(of_srun, *signal), exit_exactness::shell128, why};
    for (auto& [number, text] : detail::signal_texts)
        if (number == *signal && text == said)
            ended.exactness = exit_exactness::exact;
    if (said.substr(0, 16) == "Real-time signal")
        ended.exactness = exit_exactness::exact;
    ended.status.core_dumped = err.find("(core dumped)") != err.npos;
    return ended;
}

} // namespace brood
