// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/shared_result.hpp>
#include <brood/base/signal.hpp>
#include <brood/process/detail/collect.hpp>
#include <brood/process/detail/detached_children.hpp>
#include <brood/process/detail/launch_plan.hpp>
#include <brood/process/detail/own_children.hpp>
#include <brood/process/detail/reaper_pidfd.hpp>
#include <brood/process/detail/reaper_sigchld.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
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

    /// Stands for one that is no process of this machine, and ends when conclude() says so. It has
    /// a number that no process has.
    void adopt_absent(asio::any_io_executor executor)
    {
        static std::atomic<pid_t> next{above_all_pids};
        pid_ = next++;
        concluded_ = std::make_shared<shared_result<exit_status>>(std::move(executor));
    }

    /// How one that is no process of this machine has ended. The first end stays.
    void conclude(exit_status status)
    {
        if (collected())
            return;
        status.pid = pid_;
        status_ = status;
        concluded_->set(status);
    }

    pid_t pid() const noexcept { return pid_; }

    /// Whether the child is no more ours: it was collected, or detached, or there never was one.
    bool collected() const noexcept { return status_.has_value() || pid_ == -1; }

    /// Whether the child has ended, collected or not.
    bool has_ended() const noexcept
    {
        return collected() || (!concluded_ && detail::has_ended(pid_));
    }

    /// Whether its number is its own still, since nobody has collected it.
    bool holds_number() const noexcept
    {
        return !collected() && !concluded_ && detail::is_ours(pid_);
    }

    /// Waits for the end and collects it. Also ends when it was collected or detached meanwhile.
    task<exit_status> ended(asio::any_io_executor executor)
    {
        co_await ended_uncollected(executor);
        collect_if_ended();
        stop_watching();
        co_return *status_;
    }

    /// Waits for the end and leaves the rest to collect_if_ended(): until then its number, and that
    /// of its group, are no other's.
    task<> ended_uncollected(const asio::any_io_executor& executor)
    {
        if (concluded_)
            return end_said(concluded_);
        try
        {
            if (pidfd_)
                return end_seen_by(watch_.emplace<pidfd_watch>(executor, pidfd_));
        }
        catch (const std::system_error&)
        {
            // The loop cannot watch one more.
        }
        return end_seen_by(watch_.emplace<sigchld_watch>(executor));
    }

    /// Sends a signal; false when the process has ended, so that its number may be another's, and
    /// when it is none of this machine.
    /// Throws std::system_error for what the system refuses (EPERM, EINVAL).
    bool signal(int number)
    {
        if (has_ended() || concluded_)
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
        if (concluded_)
            conclude_killed();
        else if (!collected())
            send(SIGKILL);
    }

    /// Collects it if it ends before this time, blocking the thread. For the end of a loop.
    bool collect_until(std::chrono::steady_clock::time_point until) noexcept
    {
        while (!collect_if_ended())
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
        if (concluded_)
            return conclude_lost();
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

    /// Collects it if it has ended; whether it is no more ours.
    bool collect_if_ended() noexcept
    {
        if (collected())
            return true;
        if (concluded_)
            return false;
        status_ = collect(pid_, pidfd_);
        if (status_)
            own_children::remove(pid_);
        return collected();
    }

private:
    // Of Linux they are below 2^22, and elsewhere below 10^5.
    static constexpr pid_t above_all_pids = 1 << 30;

    static task<> end_said(std::shared_ptr<shared_result<exit_status>> by) { co_await by->get(); }

    void conclude_killed() noexcept
    {
        try
        {
            exit_status status;
            status.signal = SIGKILL;
            conclude(status);
        }
        catch (const std::exception&)
        {
            // No memory to tell those who wait; it is known all the same.
        }
    }

    void conclude_lost()
    {
        exit_status status;
        status.lost = true;
        conclude(status);
    }

    template <class Watch>
    task<> end_seen_by(Watch& watch)
    {
        while (!has_ended())
            co_await watch.changed();
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
    std::shared_ptr<shared_result<exit_status>> concluded_; // of one that is elsewhere
};

} // namespace brood::detail
