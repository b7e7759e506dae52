// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/collect.hpp>
#include <brood/process/detail/launch_steps.hpp>
#include <brood/process/detail/own_children.hpp>

#include <cerrno>
#include <exception>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace brood::detail
{

/// Children that were detached and whose ends nobody awaits. A thread collects each when it ends,
/// since their loop may end before them; there is one as long as there are such children.
class detached_children
{
public:
    static void add(pid_t pid, descriptor pidfd)
    {
        auto& all = only();
        std::lock_guard lock(all.mutex_);
        all.leave_to_parent();
        all.children_.emplace_back(pid, std::move(pidfd));
        all.watch();
    }

    /// For the next start, should there be no thread.
    static void collect_ended()
    {
        auto& all = only();
        std::lock_guard lock(all.mutex_);
        all.leave_to_parent();
        if (!all.has_thread_)
            all.collect_those_ended();
    }

private:
    detached_children() = default;

    // Never destroyed: the thread may outlive what is.
    static detached_children& only()
    {
        static auto& all = *new detached_children;
        return all;
    }

    // A copy of this process that somebody made with the bare fork(2) has neither these children
    // nor the thread.
    void leave_to_parent()
    {
        if (std::exchange(process_, ::getpid()) == ::getpid())
            return;
        children_.clear();
        epoll_.reset();
        has_thread_ = false;
    }

    // The descriptors go first: who sees that the child has gone finds them gone as well.
    void collect_those_ended()
    {
        auto is_over = [this](auto& child)
        {
            if (!has_ended(child.first))
                return false;
            child.second.reset();
            if (children_.size() == 1)
                epoll_.reset();
            own_children::remove(child.first);
            return collect(child.first, child.second).has_value();
        };
        for (auto child = children_.begin(); child != children_.end();)
            child = is_over(*child) ? children_.erase(child) : child + 1;
    }

    void watch()
    {
        listen();
        if (has_thread_)
            return;
        try
        {
            all_signals_blocked blocked; // they are for the threads of the program
            std::thread([this] { serve(); }).detach();
            has_thread_ = true;
        }
        catch (const std::exception&)
        {
            // No thread is to be had: whoever starts the next child collects them.
        }
    }

    void serve()
    {
        for (int epoll = -1;; wait(epoll))
        {
            std::lock_guard lock(mutex_);
            collect_those_ended();
            has_thread_ = !children_.empty();
            if (!has_thread_)
                return;
            epoll = epoll_.get();
        }
    }

#ifdef __linux__
    // Told once: one that a debugger holds has ended and cannot be collected.
    void listen()
    {
        if (!epoll_)
            epoll_ = descriptor(::epoll_create1(EPOLL_CLOEXEC));
        epoll_event wanted{};
        wanted.events = EPOLLIN | EPOLLONESHOT;
        auto& pidfd = children_.back().second;
        if (pidfd && epoll_)
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd.get(), &wanted);
    }

    // For a second at most, as some may have no pidfd.
    static void wait(int epoll)
    {
        epoll_event seen;
        if (::epoll_wait(epoll, &seen, 1, 1000) == -1 && errno != EINTR)
            ::usleep(200'000);
    }
#else
    void listen() {}

    static void wait(int)
    {
        ::usleep(200'000);
    }
#endif

    std::mutex mutex_;
    std::vector<std::pair<pid_t, descriptor>> children_;
    descriptor epoll_;
    pid_t process_ = ::getpid();
    bool has_thread_ = false;
};

} // namespace brood::detail
