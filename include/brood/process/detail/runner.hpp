// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/detail/activation_sockets.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/loop_children.hpp>
#include <brood/process/detail/orphans.hpp>
#include <brood/process/detail/process_core.hpp>
#include <brood/process/run.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <memory>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// Runs the loop until it is stopped.
inline void drive(asio::io_context& loop, std::chrono::microseconds busy_poll)
{
    using clock = std::chrono::steady_clock;
    loop.restart();
    // One long run() keeps the memory of Asio's operations, which one run_one() after the other
    // would allocate anew.
    if (busy_poll.count() == 0)
        loop.run();
    while (!loop.stopped())
    {
        auto until = clock::now() + busy_poll;
        while (!loop.stopped() && clock::now() < until)
            if (loop.poll() != 0)
                until = clock::now() + busy_poll;
        if (!loop.stopped())
            loop.run_one();
    }
}

/// Runs coroutines one after the other to their ends, on a loop of their own.
class runner
{
public:
    explicit runner(const run_options& options, inheritance inherited)
        : options_(options), subreaper_(options.orphans == orphans::collect), loop_(1),
          scope_(loop_.get_executor()),
          self_(process_core::make(loop_.get_executor(), std::move(inherited), options.channel))
    {
        activation_sockets::take();
        // Whoever reads what a child prints may go, and the child works on for its parent.
        struct sigaction now = {};
        if (core()->link() && ::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL)
            std::signal(SIGPIPE, SIG_IGN);
        auto first = options.orphans == orphans::automatic && ::getpid() == 1;
        if (first || options.orphans == orphans::collect)
            asio::co_spawn(loop_, collect_orphans(), asio::detached);
    }

    /// The exit code of the program whose main coroutine this is.
    int run(const std::function<task<int>(process&)>& main)
    {
        auto thrown = finish(begin(main, self_));
        if (!thrown)
            thrown = finish(process_core::run_before_exit(core()));
        if (thrown && !is_for_nobody(thrown))
            core()->report(thrown);
        finish(process_core::flush_within(core(), std::chrono::seconds(5)));
        finish(background_stops_ended(loop_.get_executor()));
        auto code = core()->run_exit_functions(); // nothing runs after them
        core()->disconnect_if_any();
        return code;
    }

private:
    const std::shared_ptr<process_core>& core() const noexcept { return process_core::of(self_); }

    // What it throws before it is a coroutine is an exception of the program as well.
    static task<> begin(const std::function<task<int>(process&)>& main, process& self)
    {
        auto code = co_await main(self);
        self.exit_code(code);
    }

    std::exception_ptr finish(task<> work)
    {
        std::exception_ptr result;
        asio::co_spawn(loop_, std::move(work),
                       [&](std::exception_ptr thrown)
                       {
                           result = thrown;
                           loop_.stop();
                       });
        drive(loop_, options_.busy_poll);
        return result;
    }

    // A child that was sending when its parent went has nobody left to tell.
    bool is_for_nobody(const std::exception_ptr& thrown)
    {
        try
        {
            std::rethrow_exception(thrown);
        }
        catch (const error& what)
        {
            return what.code() == errc::closed &&
                   finish(process_core::wait_until_parent_goes(core())) == nullptr &&
                   core()->parent_is_gone();
        }
        catch (...)
        {
            return false;
        }
    }

    run_options options_;
    child_subreaper subreaper_;
    asio::io_context loop_;
    asio::executor_work_guard<asio::io_context::executor_type> between_{loop_.get_executor()};
    default_executor_scope scope_;
    process self_;
};

} // namespace brood::detail
