// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/shared_result.hpp>
#include <brood/process/detail/background.hpp>
#include <brood/process/detail/reaper.hpp>
#include <brood/process/pipe.hpp>
#include <brood/process/spawn_options.hpp>
#include <brood/wire/channel.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace brood::detail
{

/// What is known of a child, shared by its handle and by the coroutine that watches it.
///
/// Destroyed while the child runs, which only happens when its loop has gone, it kills the child.
struct child_state
{
    child_state(asio::any_io_executor on, launched child, std::string name)
        : executor(std::move(on)), program(std::move(name)), process(std::move(child)),
          exited(executor), closed(executor)
    {
    }

    ~child_state() { process.kill_now(); }

    asio::any_io_executor executor;
    std::string program;
    reaper process;
    std::shared_ptr<link> channel; // of a forked child
    std::optional<pipe_writer> input;
    std::map<int, pipe_reader> outputs;
    stop_policy stop;
    brood::on_drop on_drop = brood::on_drop::stop;
    int last_signal = 0;
    shared_result<exit_status> exited;
    shared_result<exit_status> closed;
};

/// Waits until nobody holds the other end of a pipe, without reading what is in it.
inline task<> hung_up(pipe_reader& pipe)
{
    if (!pipe.stream().is_open())
        co_return;
    auto waited =
        co_await pipe.stream().async_wait(asio::posix::stream_descriptor::wait_error, use_tuple);
    (void)waited; // closed by its owner meanwhile is an end as well
}

/// The life of a child, as its parent sees it. The order of the ends is the same on every path.
inline task<> watch(std::shared_ptr<child_state> child)
{
    auto status = co_await child->process.ended(child->executor);
    if (child->channel)
        child->channel->peer_exited();
    child->exited.set(status);
    for (auto& [number, pipe] : child->outputs)
        co_await hung_up(pipe);
    if (child->input)
        child->input->close();
    child->closed.set(status);
}

/// Takes the steps of a policy until the child has ended. Throws errc::timed_out when it outlives
/// them.
inline task<exit_status> walk(std::shared_ptr<child_state> child, stop_policy policy)
{
    for (auto& step : policy.steps())
    {
        if (step.disconnect && child->channel)
            child->channel->sending().finish();
        if (step.signal != 0 && child->process.signal(step.signal) && step.signal != SIGKILL)
            child->process.signal(SIGCONT);
        auto status =
            co_await child->exited.get_until(std::chrono::steady_clock::now() + step.wait);
        if (status)
            co_return *status;
    }
    throw error(errc::timed_out, "process " + std::to_string(child->process.pid()) + " (" +
                                     child->program + ") still runs after: " + to_string(policy));
}

/// The same for a child whose handle has gone: there is nobody to tell.
inline task<> stop_unwatched(std::shared_ptr<child_state> child)
{
    struct counted
    {
        background& in;
        ~counted() { --in.stopping; }
    };

    counted stopping{background_of(child->executor)};
    ++stopping.in.stopping;
    try
    {
        co_await walk(child, child->stop);
    }
    catch (const std::exception&)
    {
    }
}

/// What the end of a handle means for a child that runs.
inline void drop(std::shared_ptr<child_state> child) noexcept
{
    if (child->on_drop == on_drop::detach)
        return child->process.let_go();
    if (child->on_drop == on_drop::kill || child->exited.loop_has_ended())
        return child->process.kill_softly();
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

/// Stops the child when its time is over.
inline task<> stop_after(std::shared_ptr<child_state> child, std::chrono::milliseconds time)
{
    auto status = co_await child->exited.get_until(std::chrono::steady_clock::now() + time);
    if (!status)
        co_await stop_unwatched(child);
}

} // namespace brood::detail
