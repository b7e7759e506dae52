// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/loop_children.hpp>
#include <brood/process/detail/standard_streams.hpp>
#include <brood/process/internal/entry.hpp>
#include <brood/process/process.hpp>

#include <chrono>
#include <concepts>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace brood
{

/// How a loop runs. The defaults suit all but the last microsecond.
struct run_options
{
    /// Before the loop sleeps it looks for work for so long, with one processor at full load: a
    /// message from another processor then takes a few microseconds and not the time of a wake-up.
    /// Zero is off.
    std::chrono::microseconds busy_poll{0};

    /// What the channel to the parent may hold.
    channel_limits channel = {};
};

namespace detail
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
          self_(loop_.get_executor(), std::move(inherited), options.channel)
    {
    }

    process& self() noexcept { return self_; }

    /// The exit code of the program whose main coroutine this is.
    int run(task<int> main)
    {
        auto thrown = finish(std::move(main));
        if (!thrown)
            thrown = finish(then_zero(self_.run_before_exit()));
        if (thrown && !parent_is_gone(thrown))
            report(thrown);
        finish(then_zero(self_.flush_within(std::chrono::seconds(5))));
        auto code = self_.run_exit_functions();
        self_.disconnect_if_any();
        finish(then_zero(background_stops_ended(loop_.get_executor())));
        return code;
    }

private:
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
            return what.code() == errc::closed && self_.parent_is_gone();
        }
        catch (...)
        {
            return false;
        }
    }

    void report(const std::exception_ptr& thrown)
    {
        self_.exit_code(1);
        self_.show_uncaught(thrown);
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

template <class Main>
task<int> start_main(Main main, process& self)
{
    constexpr bool takes_process = std::invocable<Main&, process&>;
    auto begin = [&]
    {
        if constexpr (takes_process)
            return main(self);
        else
            return main();
    };
    using result = typename decltype(begin())::value_type;
    if constexpr (std::is_void_v<result>)
    {
        co_await begin();
        co_return self.exit_code();
    }
    else
    {
        int code = co_await begin();
        co_return code;
    }
}

} // namespace detail

/// When this process was started by fork<entry>(), runs that entry and gives the exit code; else
/// nothing.
///
/// brood::run() does it by itself. A program whose main() does other things first, a test runner
/// say, begins with `if (auto code = brood::run_entry()) return *code;`.
inline std::optional<int> run_entry(const run_options& options = {})
{
    if (!detail::has_entry())
        return std::nullopt;
    detail::open_standard_streams();
    auto inherited = detail::take_inheritance();
    auto start = detail::find_entry(inherited.entry).start;
    detail::runner runner(options, std::move(inherited));
    return runner.run(start(runner.self()));
}

/// Runs a coroutine as the main one of this program, on a loop of its own, and gives the exit code.
///
/// `main` is `task<>(process&)`, `task<>()`, or one of them with task<int> for the exit code. The
/// program ends when it returns: what was sent is flushed, children whose handles have gone are
/// given the time of their stop policies, what else runs is ended. An exception that leaves it is
/// printed, and the code is 1. In a copy of this program that fork<entry>() started, that entry
/// runs in its place.
template <class Main>
int run(Main main, const run_options& options = {})
{
    if (auto code = run_entry(options))
        return *code;
    detail::open_standard_streams();
    detail::runner runner(options, detail::take_inheritance());
    return runner.run(detail::start_main(std::move(main), runner.self()));
}

} // namespace brood
