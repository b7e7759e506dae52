// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/signal.hpp>
#include <brood/process/detail/collect.hpp>
#include <brood/process/detail/detached_children.hpp>
#include <brood/process/detail/launch_plan.hpp>
#include <brood/process/detail/reaper_pidfd.hpp>
#include <brood/process/detail/reaper_sigchld.hpp>

#include <chrono>
#include <csignal>
#include <optional>
#include <system_error>
#include <unistd.h>
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
/// https://man7.org/linux/man-pages/man2/pidfd_open.2.html
class reaper
{
public:
    reaper() = default;

    reaper(const reaper&) = delete;
    reaper& operator=(const reaper&) = delete;

    /// Takes over a child that has started.
    void adopt(launched child)
    {
        pid_ = child.pid;
        pidfd_ = std::move(child.pidfd);
        if (forced_watching == watching::sigchld)
            pidfd_.reset();
        else if (!pidfd_)
            pidfd_ = open_pidfd(pid_);
    }

    pid_t pid() const noexcept { return pid_; }

    /// Whether the child is no more ours: it was collected, or detached, or there never was one.
    bool collected() const noexcept { return status_.has_value() || pid_ == -1; }

    /// Waits for the end and collects it. Also ends when it was collected or detached meanwhile.
    task<exit_status> ended(const asio::any_io_executor& executor)
    {
        try
        {
            if (pidfd_)
                return watched_by(watch_.emplace<pidfd_watch>(executor, pidfd_));
        }
        catch (const std::system_error&)
        {
            // The loop cannot watch one more.
        }
        return watched_by(watch_.emplace<sigchld_watch>(executor));
    }

    /// Sends a signal; false when the process has ended, so that its number may be another's.
    /// Throws std::system_error for what the system refuses (EPERM, EINVAL).
    bool signal(int number)
    {
        if (collected() || has_ended(pid_))
            return false;
        auto sent = send(number);
        if (!sent && errno != ESRCH)
            throw_system_error(errno, "send " + signal_name(number) + " to process",
                               std::to_string(pid_));
        return sent;
    }

    /// Kills it, if it still runs, and leaves the rest to the one who waits for its end.
    void kill() noexcept
    {
        if (!collected())
            send(SIGKILL);
    }

    /// Collects it if it ends before this time, blocking the thread. For the end of a loop.
    bool collect_until(std::chrono::steady_clock::time_point until) noexcept
    {
        while (!collect_now())
        {
            if (std::chrono::steady_clock::now() >= until)
                return false;
            ::usleep(200);
        }
        return true;
    }

    /// Leaves the process to itself, and ends the wait for it. Its status is lost.
    void detach()
    {
        if (collected())
            return;
        if (auto watch = std::get_if<pidfd_watch>(&watch_))
            watch->cancel();
        else if (auto signals = std::get_if<sigchld_watch>(&watch_))
            signals->cancel();
        detached_children::add(pid_, std::move(pidfd_));
        set_lost();
    }

    /// Uses nothing of the loop any more, and of a process that has ended nothing at all.
    void stop_watching() noexcept
    {
        watch_.emplace<std::monostate>();
        if (collected())
            pidfd_.reset();
    }

    /// How it ended, if it was collected.
    const std::optional<exit_status>& status() const noexcept { return status_; }

private:
    template <class Watch>
    task<exit_status> watched_by(Watch& watch)
    {
        while (!collect_now())
            co_await watch.changed();
        stop_watching();
        co_return *status_;
    }

    bool collect_now()
    {
        if (!collected())
            status_ = collect(pid_, pidfd_);
        return collected();
    }

    // Until we collect it the pid is its own, even when there is no pidfd.
    bool send(int number)
    {
        if (pidfd_ && signal_by_pidfd(pidfd_, number))
            return true;
        return (!pidfd_ || errno == ENOSYS || errno == EPERM) && ::kill(pid_, number) == 0;
    }

    void set_lost()
    {
        status_.emplace();
        status_->pid = pid_;
        status_->lost = true;
    }

    pid_t pid_ = -1;
    descriptor pidfd_;
    std::optional<exit_status> status_; // once the process is no more ours
    std::variant<std::monostate, pidfd_watch, sigchld_watch> watch_;
};

} // namespace brood::detail
