// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/loop_children.hpp>
#include <brood/process/detail/process_core.hpp>
#include <brood/process/run.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
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
        : options_(options), loop_(1), scope_(loop_.get_executor()),
          self_(process_core::make(loop_.get_executor(), std::move(inherited), options.channel))
    {
    }

    /// The exit code of the program whose main coroutine this is.
    int run(const std::function<task<int>(process&)>& main)
    {
        auto thrown = finish(begin(main, self_));
        if (!thrown)
            thrown = finish(then_zero(process_core::run_before_exit(core())));
        if (thrown && !parent_is_gone(thrown))
            report(thrown);
        finish(then_zero(process_core::flush_within(core(), std::chrono::seconds(5))));
        auto code = core()->run_exit_functions();
        core()->disconnect_if_any();
        finish(then_zero(background_stops_ended(loop_.get_executor())));
        return code;
    }

private:
    const std::shared_ptr<process_core>& core() const noexcept { return process_core::of(self_); }

    // What it throws before it is a coroutine is an exception of the program as well.
    static task<int> begin(const std::function<task<int>(process&)>& main, process& self)
    {
        auto code = co_await main(self);
        co_return code;
    }

    std::exception_ptr finish(task<int> work)
    {
        std::exception_ptr result;
        asio::co_spawn(loop_, std::move(work),
                       [&](std::exception_ptr thrown, int code)
                       {
                           result = thrown;
                           if (!thrown && code != 0)
                               self_.exit_code(code);
                           loop_.stop();
                       });
        drive(loop_, options_.busy_poll);
        return result;
    }

    static task<int> then_zero(task<> work)
    {
        co_await std::move(work);
        co_return 0;
    }

    // A child that was sending when its parent went has nobody left to tell.
    bool parent_is_gone(const std::exception_ptr& thrown)
    {
        try
        {
            std::rethrow_exception(thrown);
        }
        catch (const error& what)
        {
            return what.code() == errc::closed && core()->parent_is_gone();
        }
        catch (...)
        {
            return false;
        }
    }

    void report(const std::exception_ptr& thrown)
    {
        self_.exit_code(1);
        core()->show_uncaught(thrown);
        try
        {
            std::rethrow_exception(thrown);
        }
        catch (const std::exception& what)
        {
            std::fprintf(stderr, "brood: process %d ended by an exception: %s\n",
                         static_cast<int>(process::pid()), what.what());
        }
        catch (...)
        {
            std::fprintf(stderr, "brood: process %d ended by an exception of unknown type\n",
                         static_cast<int>(process::pid()));
        }
    }

    run_options options_;
    asio::io_context loop_;
    asio::executor_work_guard<asio::io_context::executor_type> between_{loop_.get_executor()};
    default_executor_scope scope_;
    process self_;
};

} // namespace brood::detail
