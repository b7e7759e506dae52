// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/task.hpp>

#include <atomic>
#include <chrono>
#include <mutex>

namespace brood::detail
{

class loop_children;

/// A child as its loop sees it: the loop does not go without it.
class loop_child : private list_node
{
public:
    /// Kills it if it runs, unless it was told to go on.
    virtual void end_with_loop() noexcept = 0;

    /// Collects it when it ends before this time, and lets go of all that belongs to the loop.
    virtual void leave_loop(std::chrono::steady_clock::time_point until) noexcept = 0;

protected:
    ~loop_child();

private:
    friend loop_children;

    loop_children* loop_ = nullptr; // while it is one of those
};

/// The children of one loop: all that anybody knows of, and how many of them are being stopped in
/// the background, since nobody waits for them any more.
///
/// Several threads may run the loop, each with children on strands of its own.
class loop_children final : public asio::execution_context::service
{
public:
    using key_type = loop_children;
    inline static asio::execution_context::id id;

    static loop_children& of(const asio::any_io_executor& executor)
    {
        return asio::use_service<loop_children>(asio::query(executor, asio::execution::context));
    }

    explicit loop_children(asio::execution_context& context)
        : asio::execution_context::service(context)
    {
    }

    void add(loop_child& child)
    {
        std::lock_guard lock(mutex_);
        child.insert_before(children_);
        child.loop_ = this;
    }

    void remove(loop_child& child) noexcept
    {
        std::lock_guard lock(mutex_);
        child.unlink();
        child.loop_ = nullptr;
    }

    /// The loop goes: what still runs is killed at once, then collected. Nothing of Asio can be
    /// used for that any more. SIGKILL takes a fraction of a millisecond; a process that the kernel
    /// cannot end is not waited for.
    void shutdown() noexcept override
    {
        end_all();
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
        while (auto child = first())
        {
            remove(*child);
            child->leave_loop(until);
        }
    }

    /// How many are being stopped in the background.
    std::atomic<int> stopping = 0;

private:
    void end_all() noexcept
    {
        std::lock_guard lock(mutex_);
        for (auto child = children_.next; child != &children_; child = child->next)
            static_cast<loop_child*>(child)->end_with_loop();
    }

    loop_child* first() noexcept
    {
        std::lock_guard lock(mutex_);
        return children_.alone() ? nullptr : static_cast<loop_child*>(children_.next);
    }

    std::mutex mutex_;
    list_node children_;
};

inline loop_child::~loop_child()
{
    if (loop_ != nullptr)
        loop_->remove(*this);
}

/// Waits until no child is being stopped in the background: each is given the time that its stop
/// policy promises.
inline task<> background_stops_ended(asio::any_io_executor executor)
{
    auto& children = loop_children::of(executor);
    while (children.stopping != 0)
        co_await sleep(std::chrono::milliseconds(1));
}

/// As long as it lives, brood::run() does not let its loop go.
class background_stop
{
public:
    explicit background_stop(const asio::any_io_executor& executor)
        : in_(loop_children::of(executor))
    {
        ++in_.stopping;
    }

    background_stop(const background_stop&) = delete;
    background_stop& operator=(const background_stop&) = delete;

    ~background_stop() { --in_.stopping; }

private:
    loop_children& in_;
};

} // namespace brood::detail
