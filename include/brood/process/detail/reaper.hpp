// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_plan.hpp>
#include <brood/process/detail/reaper_pidfd.hpp>
#include <brood/process/detail/reaper_sigchld.hpp>
#include <brood/process/exit_status.hpp>

#include <chrono>
#include <csignal>
#include <optional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <utility>
#include <variant>

namespace brood::detail
{

/// The ways to learn of an end. Tests force each of them.
enum class watching
{
    automatic,
    pidfd,
    sigchld,
};

inline watching forced_watching = watching::automatic;

/// The one owner of the end of a child: waits for it, collects it once, and signals it until then.
///
/// It waits for its own child only, never for any (waitpid(-1)), so that the children of others in
/// this program stay theirs. https://man7.org/linux/man-pages/man2/pidfd_open.2.html
class reaper
{
public:
    explicit reaper(launched child) : pid_(child.pid), pidfd_(std::move(child.pidfd))
    {
        if (forced_watching == watching::sigchld)
            pidfd_.reset();
        else if (!pidfd_)
            pidfd_ = open_pidfd(pid_);
    }

    pid_t pid() const noexcept { return pid_; }

    bool collected() const noexcept { return collected_; }

    /// Waits for the end and collects it.
    task<exit_status> ended(asio::any_io_executor executor)
    {
        // One of the two is empty; both would cost nothing but the look of it.
        std::optional<pidfd_watch> by_pidfd;
        std::optional<sigchld_watch> by_signal;
        if (pidfd_)
            by_pidfd.emplace(executor, pidfd_);
        else
            by_signal.emplace(executor);
        for (;;)
        {
            if (auto status = collect(WNOHANG))
                co_return *status;
            if (by_pidfd)
                co_await by_pidfd->changed();
            else
                co_await by_signal->changed();
        }
    }

    /// Sends a signal; false when the process has been collected, so that its number may be
    /// another's. Throws std::system_error for what the system refuses (EPERM, EINVAL).
    bool signal(int number)
    {
        if (collected_)
            return false;
        auto sent = pidfd_ && signal_by_pidfd(pidfd_, number);
        if (!sent && (!pidfd_ || errno == ENOSYS))
            sent = ::kill(pid_, number) == 0;
        if (!sent && errno != ESRCH)
            throw_system_error(errno, "send " + signal_name(number) + " to process",
                               std::to_string(pid_));
        return sent;
    }

    /// Kills it, if it still runs, and leaves the rest to the one who waits for its end.
    void kill_softly() noexcept
    {
        if (!collected_)
            ::kill(pid_, SIGKILL);
    }

    /// For the end of the loop: kills it and collects it. Waits only for the kernel to do that, and
    /// not for a process that it cannot end.
    void kill_now() noexcept
    {
        if (collected_)
            return;
        kill_softly();
        for (int tries = 0; tries < 1000 && !collect(WNOHANG); ++tries)
            ::usleep(1000);
    }

    /// Leaves the process to itself: init collects it, or nobody while this process lives.
    void let_go() noexcept { collected_ = true; }

private:
    std::optional<exit_status> collect(int options)
    {
        rusage used{};
        int status = 0;
        auto found = retry([&] { return ::wait4(pid_, &status, options, &used); });
        if (found == 0)
            return std::nullopt;
        collected_ = true;
        exit_status result;
        result.pid = pid_;
        if (found == -1)
        {
            result.lost = true; // somebody else waited for it, or SIGCHLD is ignored
            return result;
        }
        result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        result.core_dumped = WIFSIGNALED(status) && WCOREDUMP(status);
        result.user_time = to_duration(used.ru_utime);
        result.system_time = to_duration(used.ru_stime);
        result.max_rss = static_cast<std::uint64_t>(used.ru_maxrss) * rss_unit;
        return result;
    }

    static std::chrono::microseconds to_duration(const timeval& time)
    {
        return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    }

#ifdef __APPLE__
    static constexpr std::uint64_t rss_unit = 1;
#else
    static constexpr std::uint64_t rss_unit = 1024;
#endif

    pid_t pid_;
    descriptor pidfd_;
    bool collected_ = false;
};

} // namespace brood::detail
