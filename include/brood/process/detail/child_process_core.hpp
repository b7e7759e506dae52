// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/process/child_process.hpp>
#include <brood/process/detail/loop_children.hpp>
#include <brood/process/detail/pipe_core.hpp>
#include <brood/process/detail/reaper.hpp>
#include <brood/process/internal/far_reach.hpp>
#include <brood/process/pipe.hpp>
#include <brood/process/spawn_options.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/link.hpp>

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace brood::detail
{

/// What is known of a child, shared by its handle, by those who wait for its end, and by the
/// coroutine that watches it.
///
/// Destroyed while the child runs, which only happens when nothing can watch it any more, it
/// kills the child.
class child_process_core final : public loop_child,
                                 public std::enable_shared_from_this<child_process_core>
{
public:
    child_process_core(asio::any_io_executor on, std::string name, const spawn_options& options)
        : executor(std::move(on)), program(std::move(name)), stop(options.stop),
          on_drop(options.on_drop), exited(executor), closed(executor)
    {
    }

    /// The one handle of a child that was started.
    static child_process handle(std::shared_ptr<child_process_core> of) noexcept
    {
        return child_process(std::move(of));
    }

    /// The same of one with a channel.
    template <class Forked, class Channel>
    static Forked handle(std::shared_ptr<child_process_core> of, Channel to) noexcept
    {
        Forked result(handle(std::move(of)), std::move(to));
        result.core_->channel = result.link();
        result.core_->channel->expect_exit();
        return result;
    }

    ~child_process_core()
    {
        process.kill();
        process.collect_until(std::chrono::steady_clock::now() + std::chrono::seconds(2));
    }

    /// Whether anybody can still ask for anything: the handle, or a wait that it began.
    bool wanted() const noexcept { return has_handle || waits != 0; }

    /// The handle, or a wait that it began, has gone. What nobody wants must not keep the loop
    /// busy for longer than the child is stopped.
    void less_wanted() noexcept
    {
        if (wanted())
            return;
        if (exited.ready())
            close_pipes();
        else if (on_drop == brood::on_drop::detach)
            detach();
    }

    /// From here on the child goes on by itself, and the watch over it ends.
    void detach() noexcept
    {
        try
        {
            process.detach();
        }
        catch (const std::exception&)
        {
            // No memory to remember it: it stays with the one who watches it.
        }
    }

    void close_pipes() noexcept
    {
        for (auto& [number, pipe] : inputs)
            pipe_core::of(pipe)->close();
        for (auto& [number, pipe] : outputs)
            pipe.close();
    }

    /// Sends it a signal; false when it has ended. Throws as reaper::signal().
    bool signal(int number)
    {
        if (!far || process.has_ended() || !far->signal(number))
            return process.signal(number);
        if (number == SIGKILL)
            asio::co_spawn(executor, kill_launcher(shared_from_this()), asio::detached);
        return true;
    }

    /// Kills the process of a launcher that lives on although the process elsewhere was killed.
    static task<> kill_launcher(std::shared_ptr<child_process_core> self)
    {
        co_await self->exited.get_until(time_from_now(self->far->patience));
        self->process.kill();
    }

    void end_with_loop() noexcept override
    {
        if (on_drop == brood::on_drop::detach)
            detach();
        else
            process.kill();
    }

    void leave_loop(std::chrono::steady_clock::time_point until) noexcept override
    {
        process.collect_until(until);
        process.stop_watching();
        close_pipes();
        // A handle that outlives its loop finds the status, and asks nothing of the loop.
        exited.set(process.status().value_or(exit_status{}));
        closed.set(*exited.peek());
    }

    asio::any_io_executor executor;
    std::string program;
    reaper process;
    std::shared_ptr<link> channel;      // of a forked child
    std::unique_ptr<far_reach> far;     // of one elsewhere, whose launcher's process this is
    std::map<int, pipe_writer> inputs;  // by the child's number; a stream both ways is in both
    std::map<int, pipe_reader> outputs; // by the child's number
    stop_policy stop;
    brood::on_drop on_drop;
    bool has_handle = true;
    int waits = 0; // for its end, through the handle
    int last_signal = 0;
    shared_result<exit_status> exited;
    shared_result<exit_status> closed;
};

/// Waits until nobody else holds a pipe of the child. Without anybody who would read what is
/// left in them, at once.
inline task<> pipes_end(std::shared_ptr<child_process_core> child)
{
    child->less_wanted();
    for (auto& [number, pipe] : child->outputs)
        co_await pipe_core::hung_up(pipe_core::of(pipe));
    for (auto& [number, pipe] : child->inputs)
        pipe.close();
}

/// What a process elsewhere sent may come after the end of its launcher's process.
inline task<> last_words(std::shared_ptr<link> from)
{
    if (from->may_hear_more())
        co_await link::disconnected(from, time_from_now(std::chrono::seconds(2)));
}

/// What a process elsewhere said last of its end is true, whatever its launcher says.
inline void hear_farewell(const link& from, exit_status& status)
{
    auto code = from.farewell();
    if (!code)
        return;
    status.code = *code;
    status.signal = 0;
    status.core_dumped = status.lost = false;
    status.why.clear();
}

/// The life of a child, as its parent sees it. The order of the ends is the same on every path.
inline task<> watch(std::shared_ptr<child_process_core> child)
{
    // Whoever starts a child gets its handle before anybody learns of its end.
    co_await asio::post(child->executor, asio::use_awaitable);
    auto status = co_await child->process.ended(child->executor);
    if (child->far)
    {
        status = child->far->told(status);
        co_await last_words(child->channel);
        hear_farewell(*child->channel, status);
    }
    if (child->channel)
    {
        child->channel->peer_exited();
        status.undelivered = child->channel->sending().returned();
    }
    child->exited.set(status);
    co_await pipes_end(child);
    child->closed.set(status);
}

} // namespace brood::detail
