// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/process/detail/child_process_core.hpp>
#include <brood/process/detail/child_tree.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// What a step of a policy does.
inline void take_step(child_process_core& child, const stop_step& step)
{
    if (step.disconnects() && child.channel)
        child.channel->sending().finish();
    if (step.number() == 0)
        return;
    if (child.far)
        child.signal(step.number());
    else if (step.reaches_tree() && !child.process.has_ended())
        child_tree(child).signal_frozen(step.number());
    else if (child.process.signal(step.number()) && step.number() != SIGKILL)
        child.process.signal(SIGCONT);
}

/// Takes the steps of a policy until the child has ended. Throws errc::timed_out when it outlives
/// them.
inline task<exit_status> walk(std::shared_ptr<child_process_core> child, stop_policy policy)
{
    for (auto& step : policy.steps())
    {
        take_step(*child, step);
        auto status = co_await child->exited.get_until(time_from_now(step.wait()));
        if (status)
            co_return *status;
        // It may have been cancelled in the turn in which the time was over.
        auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            throw std::system_error(asio::error::operation_aborted, "stop");
    }
    throw error(errc::timed_out, "process " + std::to_string(child->process.pid()) + " (" +
                                     child->program + ") still runs after: " + to_string(policy));
}

/// The same in the background, where there is nobody to tell. A child that not even SIGKILL ends
/// is detached when nobody waits for it, or the loop would never end.
inline task<> stop_unwatched(std::shared_ptr<child_process_core> child)
{
    background_stop stopping(child->executor);
    try
    {
        co_await walk(child, child->stop);
    }
    catch (const std::exception&)
    {
        if (!child->wanted())
            child->detach();
    }
}

/// Stops the child when its time is over.
inline task<> stop_after(std::shared_ptr<child_process_core> child, std::chrono::milliseconds time)
{
    auto status = co_await child->exited.get_until(time_from_now(time));
    if (!status)
        co_await stop_unwatched(child);
}

/// What the end of a handle means.
inline void drop(std::shared_ptr<child_process_core> child) noexcept
{
    child->has_handle = false;
    if (child->exited.ready() || child->exited.loop_has_ended() ||
        child->on_drop == on_drop::detach)
        return child->less_wanted();
    if (child->on_drop == on_drop::kill)
        return child->process.kill();
    try
    {
        auto executor = child->executor;
        asio::co_spawn(executor, stop_unwatched(std::move(child)), asio::detached);
    }
    catch (const std::exception&)
    {
        // No memory for a coroutine: the child is killed with the loop.
    }
}

/// A wait for the end of a child that outlives its handle, and is counted as long as it does.
inline task<exit_status> wait_for(std::shared_ptr<child_process_core> child,
                                  shared_result<exit_status> child_process_core::*end)
{
    struct counted
    {
        child_process_core& of;

        ~counted()
        {
            --of.waits;
            of.less_wanted();
        }
    };

    ++child->waits;
    counted waiting{*child};
    auto status = co_await ((*child).*end).get();
    co_return status;
}

} // namespace brood::detail
