// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/task.hpp>

#include <chrono>

namespace brood::detail
{

/// A child as its loop sees it: the loop does not go without it.
class loop_child : public list_node
{
public:
    /// Kills it if it runs, unless it was told to go on.
    virtual void end_with_loop() noexcept = 0;

    /// Collects it when it ends before this time, and lets go of all that belongs to the loop.
    virtual void leave_loop(std::chrono::steady_clock::time_point until) noexcept = 0;

protected:
    ~loop_child() = default;
};

/// The children of one loop: all that anybody knows of, and how many of them are being stopped in
/// the background, since nobody waits for them any more.
struct loop_children final : asio::execution_context::service
{
    using key_type = loop_children;
    inline static asio::execution_context::id id;

    explicit loop_children(asio::execution_context& context)
        : asio::execution_context::service(context)
    {
    }

    /// The loop goes: what still runs is killed at once, then collected. Nothing of Asio can be
    /// used for that any more. SIGKILL takes a fraction of a millisecond; a process that the kernel
    /// cannot end is not waited for.
    void shutdown() noexcept override
    {
        for (auto child = children.next; child != &children; child = child->next)
            static_cast<loop_child*>(child)->end_with_loop();
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
        while (!children.alone())
        {
            auto& child = static_cast<loop_child&>(*children.next);
            child.unlink();
            child.leave_loop(until);
        }
    }

    list_node children;
    int stopping = 0;
};

inline loop_children& loop_children_of(const asio::any_io_executor& executor)
{
    return asio::use_service<loop_children>(asio::query(executor, asio::execution::context));
}

/// Waits until no child is being stopped in the background: each is given the time that its stop
/// policy promises.
inline task<> background_stops_ended(asio::any_io_executor executor)
{
    auto& children = loop_children_of(executor);
    while (children.stopping != 0)
        co_await sleep(std::chrono::milliseconds(1));
}

/// As long as it lives, brood::run() does not let its loop go.
class background_stop
{
public:
    explicit background_stop(const asio::any_io_executor& executor)
        : in_(loop_children_of(executor))
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
