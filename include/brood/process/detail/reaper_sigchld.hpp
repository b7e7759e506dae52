// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/task.hpp>

#include <chrono>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// SIGCHLD for all children of one loop, as long as there is one. Asio keeps the signal for itself
/// until then.
class sigchld_listener final : public asio::execution_context::service
{
public:
    using key_type = sigchld_listener;
    inline static asio::execution_context::id id;

    explicit sigchld_listener(asio::execution_context& context)
        : asio::execution_context::service(context)
    {
    }

    void shutdown() noexcept override { signals_.reset(); }

    void add_watch(const asio::any_io_executor& executor)
    {
        if (!changed_)
            changed_.emplace(executor);
        if (watches_++ == 0)
            begin(executor);
    }

    void remove_watch() noexcept
    {
        if (--watches_ == 0)
            signals_.reset();
    }

    /// Waits until some child may have ended. Not for ever: the program may have blocked the
    /// signal, or put a handler of its own in the place of Asio's.
    task<> changed()
    {
        listen();
        co_await changed_->wait_until(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    }

    void wake_all() { changed_->post_all(); }

private:
    void begin(const asio::any_io_executor& executor)
    {
        try
        {
            signals_.emplace(executor, SIGCHLD);
        }
        catch (const std::system_error&)
        {
            // No descriptor is left for it: changed() looks each second.
        }
    }

    // Signals coalesce: each wakes all watches.
    void listen()
    {
        if (!signals_ || std::exchange(listening_, true))
            return;
        signals_->async_wait(
            [this](std::error_code, int)
            {
                listening_ = false;
                wake_all();
            });
    }

    std::optional<asio::signal_set> signals_;
    std::optional<wait_queue> changed_;
    int watches_ = 0;
    bool listening_ = false; // whether signals_ has a wait
};

/// Watches for an end through SIGCHLD, for systems without pidfds.
///
/// It wakes when any child of the program ends, and its owner looks after its own. A signal that
/// came after the watch was made is not missed.
class sigchld_watch
{
public:
    explicit sigchld_watch(const asio::any_io_executor& executor)
        : listener_(
              asio::use_service<sigchld_listener>(asio::query(executor, asio::execution::context)))
    {
        listener_.add_watch(executor);
    }

    ~sigchld_watch() { listener_.remove_watch(); }

    sigchld_watch(const sigchld_watch&) = delete;
    sigchld_watch& operator=(const sigchld_watch&) = delete;

    task<> changed() { return listener_.changed(); }

    void cancel() { listener_.wake_all(); }

private:
    sigchld_listener& listener_;
};

} // namespace brood::detail
