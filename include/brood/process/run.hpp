// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/signature.hpp>
#include <brood/base/task.hpp>
#include <brood/process/process.hpp>
#include <brood/wire/limits.hpp>

#include <chrono>
#include <concepts>
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

int run_main(std::function<task<int>(process&)> main, const run_options& options);

/// Gives the exit code of the process when the work is done.
task<int> with_exit_code(process& self, task<> work);

template <class Main>
auto call_main(Main& main, process& self)
{
    constexpr bool takes_process = std::invocable<Main&, process&>;
    static_assert(takes_process || std::invocable<Main&>,
                  "brood: run() takes a function of brood::process&, or of nothing: what more it "
                  "needs, a lambda captures");
    if constexpr (takes_process)
        return main(self);
    else if constexpr (std::invocable<Main&>)
        return main();
}

template <class Result>
task<int> to_code(task<Result> work)
{
    int code = co_await std::move(work);
    co_return code;
}

} // namespace detail

/// When this process was started by fork<entry>(), runs that entry and gives the exit code; else
/// nothing.
///
/// brood::run() does it by itself. A program whose main() does other things first, a test runner
/// say, begins with `if (auto code = brood::run_entry()) return *code;`.
std::optional<int> run_entry(const run_options& options = {});

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
    auto begin = [&main](process& self) -> task<int>
    {
        using called = detail::awaited<decltype(detail::call_main(main, self))>;
        static_assert(called::coroutine,
                      "brood: run() takes a coroutine: a function that returns brood::task<>, or "
                      "brood::task<int> for its exit code");
        if constexpr (std::is_void_v<typename called::type>)
            return detail::with_exit_code(self, detail::call_main(main, self));
        else if constexpr (std::is_same_v<typename called::type, int>)
            return detail::call_main(main, self);
        else
            return detail::to_code(detail::call_main(main, self));
    };
    return detail::run_main(begin, options);
}

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/run.ipp>
#endif
