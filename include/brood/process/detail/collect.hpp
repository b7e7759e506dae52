// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/detail/pidfd.hpp>
#include <brood/process/exit_status.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <sys/resource.h>
#include <sys/wait.h>

namespace brood::detail
{

inline std::chrono::microseconds to_duration(const timeval& time)
{
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

/// What the kernel says of an end, in our words.
inline exit_status to_exit_status(pid_t pid, const wait_result& ended)
{
#ifdef __APPLE__
    constexpr std::uint64_t rss_unit = 1;
#else
    constexpr std::uint64_t rss_unit = 1024;
#endif
    exit_status result;
    result.pid = pid;
    result.code = WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : 0;
    result.signal = WIFSIGNALED(ended.status) ? WTERMSIG(ended.status) : 0;
    result.core_dumped = WIFSIGNALED(ended.status) && WCOREDUMP(ended.status);
    result.user_time = to_duration(ended.used.ru_utime);
    result.system_time = to_duration(ended.used.ru_stime);
    result.max_rss = static_cast<std::uint64_t>(ended.used.ru_maxrss) * rss_unit;
    return result;
}

/// The end of a child that somebody else waited for, or that nobody may wait for because SIGCHLD is
/// ignored: how it ended when the kernel still tells, else that it is lost.
inline exit_status stolen_status(pid_t pid, const descriptor& pidfd)
{
    wait_result ended;
    auto told = pidfd && status_from_pidfd(pidfd, ended.status);
    auto result = told ? to_exit_status(pid, ended) : exit_status{};
    result.pid = pid;
    result.lost = !told;
    return result;
}

/// Takes the end of a child from the kernel, once, or nothing while it runs. Its own pidfd or pid
/// is asked for, never any child (waitpid(-1)): those that other code started are not ours.
inline std::optional<exit_status> collect(pid_t pid, const descriptor& pidfd)
{
    wait_result ended;
    auto found = pidfd ? wait_by_pidfd(pidfd, ended) : -1;
    // EINVAL: pidfds came a version earlier than waiting by them. Our child keeps its number.
    if (!pidfd || (found == -1 && errno == EINVAL))
        found = retry([&] { return ::wait4(pid, &ended.status, WNOHANG, &ended.used); });
    if (found == 0)
        return std::nullopt;
    return found == -1 ? stolen_status(pid, pidfd) : to_exit_status(pid, ended);
}

/// Whether a child that was not collected has ended already.
inline bool has_ended(pid_t pid) noexcept
{
    siginfo_t about = {};
    auto found = ::waitid(P_PID, static_cast<id_t>(pid), &about, WEXITED | WNOHANG | WNOWAIT);
    return found == -1 || about.si_pid == pid;
}

/// Whether a child is there to be collected, now or later.
inline bool is_ours(pid_t pid) noexcept
{
    siginfo_t about = {};
    return ::waitid(P_PID, static_cast<id_t>(pid), &about, WEXITED | WNOHANG | WNOWAIT) == 0;
}

} // namespace brood::detail
