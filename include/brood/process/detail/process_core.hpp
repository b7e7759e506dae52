// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/loop_children.hpp>
#include <brood/process/detail/primary_link.hpp>
#include <brood/process/detail/socket_address.hpp>
#include <brood/process/detail/stop_request.hpp>
#include <brood/process/internal/arrival.hpp>
#include <brood/process/internal/listener_core.hpp>
#include <brood/process/process.hpp>
#include <brood/wire/internal/far_channel.hpp>
#include <brood/wire/internal/link.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// What is known of this process, shared by its handle and by what it has begun.
class process_core
{
public:
    /// For brood::run(): a process whose channel, if it has one, leads to its parent.
    static process make(asio::any_io_executor executor, inheritance inherited,
                        const channel_limits& limits)
    {
        channel to_parent;
        std::string own_address;
        if (!inherited.primary.empty())
            own_address = to_string(socket_address::of(inherited.channel.get()));
        if (!inherited.primary.empty())
            to_parent = far_channel(executor, std::move(inherited.channel), inherited.primary,
                                    limits, std::move(inherited.through));
        else if (inherited.channel)
            to_parent = channel(executor, std::move(inherited.channel),
                                "parent process " + std::to_string(::getppid()), limits);
        process result(std::move(to_parent), nullptr);
        if (result.link() && !result.link()->is_elsewhere())
            result.link()->expect_exit_of_parent();
        result.core_ = std::make_shared<process_core>(std::move(executor), result.link());
        result.core_->join(inherited.worker, std::move(own_address));
        return result;
    }

    static const std::shared_ptr<process_core>& of(const process& handle) noexcept
    {
        return handle.core_;
    }

    process_core(asio::any_io_executor executor, std::shared_ptr<detail::link> to_parent)
        : stop_asked(std::make_shared<stop_request>(executor)), executor_(std::move(executor)),
          link_(std::move(to_parent))
    {
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    const std::shared_ptr<detail::link>& link() const noexcept { return link_; }

    /// Of a worker; null in no cluster.
    const std::shared_ptr<primary_link>& primary() const noexcept { return primary_; }

    /// Whether there was a parent at the other end of a channel, and is no more.
    bool parent_is_gone() const noexcept
    {
        return link_ && (link_->ended() || ::getppid() != parent_);
    }

    /// A send to a parent that was killed fails before its end is read.
    static task<> wait_until_parent_goes(std::shared_ptr<process_core> self)
    {
        for (int round = 0; round < 200 && self->link_ && !self->parent_is_gone(); ++round)
            co_await sleep(std::chrono::milliseconds(1));
    }

    /// Lets the parent read the end.
    void disconnect_if_any()
    {
        if (link_)
            link_->sending().finish();
    }

    /// Runs what before_exit() was given, also meanwhile.
    static task<> run_before_exit(std::shared_ptr<process_core> self)
    {
        // The one that runs must stay where it is, whatever it adds.
        while (!self->before_exit.empty())
        {
            auto run = std::move(self->before_exit.front());
            self->before_exit.pop_front();
            co_await run();
        }
    }

    /// Calls the functions of on_exit, each once, also those that are added meanwhile, and gives
    /// the exit code. What one throws is shown, and the next one is called.
    int run_exit_functions()
    {
        while (!on_exit.empty())
        {
            auto call = std::move(on_exit.front());
            on_exit.pop_front();
            try
            {
                call(exit_code);
            }
            catch (...)
            {
                report(std::current_exception());
            }
        }
        // The launcher of one elsewhere may not tell its code, or another.
        if (link_ && link_->is_elsewhere())
            link_->sending().send_empty(frame_kind::farewell, 0,
                                        static_cast<std::uint64_t>(exit_code & 0xff));
        if (link_)
            link_->sending().flush(); // what they sent
        return exit_code;
    }

    /// Shows an exception that nobody caught.
    void report(const std::exception_ptr& thrown)
    {
        exit_code = 1;
        try
        {
            auto show = on_uncaught; // it may take another in its own place
            if (show)
                show(thrown);
        }
        catch (...)
        {
            // What ends this process is told all the same.
        }
        auto pid = static_cast<int>(::getpid());
        try
        {
            std::rethrow_exception(thrown);
        }
        catch (const std::exception& what)
        {
            std::fprintf(stderr, "brood: process %d ended by an exception: %s\n", pid, what.what());
        }
        catch (...)
        {
            std::fprintf(stderr, "brood: process %d ended by an exception of unknown type\n", pid);
        }
    }

    /// Waits until the kernel has what was sent, or cannot have it, or the time is over.
    static task<> flush_within(std::shared_ptr<process_core> self,
                               std::chrono::steady_clock::duration limit)
    {
        if (!self->link_)
            co_return;
        auto peers = self->primary_ ? self->primary_->peers_if_used() : nullptr;
        asio::steady_timer give_up(self->executor_, limit);
        give_up.async_wait(
            [to = self->link_, peers](std::error_code cancelled)
            {
                if (cancelled)
                    return;
                to->sending().give_up(nullptr);
                if (peers)
                    peers->give_up();
            });
        try
        {
            co_await sender::flushed(self->link_->shared_sender());
        }
        catch (const std::exception&)
        {
            // The parent has gone, or does not read: there is nobody to tell.
        }
        if (peers)
            co_await peers_core::flush(peers);
    }

    static task<> exit(std::shared_ptr<process_core> self, int code)
    {
        self->exit_code = code;
        co_await flush_within(self, std::chrono::seconds(5));
        // A cancelled coroutine could not await any more.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await background_stops_ended(self->executor_);
        auto last_code = self->run_exit_functions();
        loop_children::of(self->executor_).shutdown(); // as if the loop went
        std::exit(last_code);
    }

    /// Where connections come from.
    static task<std::shared_ptr<listener_core>> listen(std::shared_ptr<process_core> self,
                                                       listen_request wanted)
    {
        if (!self->primary_ || wanted.reuse_port || self->link_->is_elsewhere())
            co_return self->listen_alone(wanted);
        auto connections = co_await primary_link::listen(self->primary_, wanted);
        co_return connections;
    }

    /// A socket that is bound for datagrams.
    static task<descriptor> bind(std::shared_ptr<process_core> self, listen_request wanted)
    {
        descriptor bound;
        if (!self->primary_ || wanted.reuse_port || self->link_->is_elsewhere())
            bound = listening_socket(wanted).socket().duplicate();
        else
            bound = co_await primary_link::bind(self->primary_, wanted);
        if (self->primary_)
        {
            self->primary_->tell_of(socket_address::of(bound.get()));
            self->primary_->ready();
        }
        co_return bound;
    }

    /// A worker attends to what its primary did not open as to all that it listens to.
    void attend(const std::shared_ptr<listener_core>& connections)
    {
        if (!primary_)
            return;
        primary_->attend(connections);
        primary_->ready();
    }

    int exit_code = 0;
    std::deque<std::function<void(int)>> on_exit;
    std::deque<std::function<task<>()>> before_exit;
    std::function<void(std::exception_ptr)> on_uncaught;
    const std::shared_ptr<stop_request> stop_asked;

private:
    std::shared_ptr<listener_core> listen_alone(const listen_request& wanted)
    {
        auto connections = listener_core::listen(executor_, wanted);
        attend(connections);
        return connections;
    }

    void join(const std::string& identity, std::string own_address)
    {
        if (!link_ || identity.empty())
            return;
        primary_ = std::make_shared<primary_link>(link_, to_worker_identity(identity), stop_asked,
                                                  std::move(own_address));
        primary_->begin();
        if (came_by_itself)
            primary_->leave_when_asked();
    }

    const pid_t parent_ = ::getppid();
    asio::any_io_executor executor_;
    std::shared_ptr<detail::link> link_;
    std::shared_ptr<primary_link> primary_;
};

} // namespace brood::detail
