// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/task.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// Watches for an end through SIGCHLD, for systems without pidfds. Asio keeps the signal for itself
/// as long as there is one.
///
/// It wakes when any child of the program ends, and its owner looks after its own. A signal that
/// came after the watch was made is not missed.
class sigchld_watch
{
public:
    explicit sigchld_watch(const asio::any_io_executor& executor)
        : state_(std::make_shared<state>(executor))
    {
        try
        {
            state_->signals.emplace(executor, SIGCHLD);
        }
        catch (const std::system_error&)
        {
            // No descriptor is left for it: changed() looks each second.
        }
    }

    ~sigchld_watch() { state_->signals.reset(); }

    sigchld_watch(const sigchld_watch&) = delete;
    sigchld_watch& operator=(const sigchld_watch&) = delete;

    /// Waits until some child may have ended. Not for ever: the program may have blocked the
    /// signal, or put a handler of its own in the place of Asio's.
    task<> changed()
    {
        listen(state_);
        return wait(state_);
    }

    void cancel() { state_->changed.post_all(); }

private:
    struct state
    {
        explicit state(const asio::any_io_executor& executor) : changed(executor) {}

        wait_queue changed;
        std::optional<asio::signal_set> signals;
        bool listening = false; // whether signals has a wait
    };

    static void listen(const std::shared_ptr<state>& self)
    {
        if (!self->signals || std::exchange(self->listening, true))
            return;
        self->signals->async_wait(
            [self](std::error_code, int)
            {
                self->listening = false;
                self->changed.post_all();
            });
    }

    static task<> wait(std::shared_ptr<state> self)
    {
        co_await self->changed.wait_until(std::chrono::steady_clock::now() +
                                          std::chrono::seconds(1));
    }

    std::shared_ptr<state> state_;
};

} // namespace brood::detail
