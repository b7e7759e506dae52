// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_steps.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// A thread that lives as long as this process.
///
/// The parent-death signal of Linux means the thread that started the child, and not its process:
/// a child that a short-lived thread starts would die with that thread. Made when it is first
/// needed, never ended.
class permanent_thread
{
public:
    /// Does the work there, and waits until it is done.
    static void run(std::function<void()> work)
    {
        static std::mutex mutex;
        static permanent_thread* only = nullptr;
        std::lock_guard lock(mutex);
        // A copy of this process that somebody made with the bare fork(2) has no such thread.
        if (only == nullptr || only->process_ != ::getpid())
            only = new permanent_thread;
        only->run_one(std::move(work));
    }

private:
    permanent_thread()
    {
        // Signals are for the threads of the program.
        all_signals_blocked blocked;
        std::thread([this] { serve(); }).detach();
    }

    void run_one(std::function<void()> work)
    {
        std::unique_lock lock(mutex_);
        work_ = std::move(work);
        changed_.notify_all();
        changed_.wait(lock, [this] { return !work_; });
    }

    void serve()
    {
        std::unique_lock lock(mutex_);
        for (;;)
        {
            changed_.wait(lock, [this] { return static_cast<bool>(work_); });
            work_();
            work_ = nullptr;
            changed_.notify_all();
        }
    }

    const pid_t process_ = ::getpid();
    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> work_; // what is to be done; empty when it has been
};

} // namespace brood::detail
