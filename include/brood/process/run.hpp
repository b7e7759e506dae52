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

/// Who collects the ends of processes that lost their parents, and came to this process therefore:
/// to process 1, and to one that asks for it.
///
/// They are looked for four times a second while brood::run() runs. Children of brood are never
/// taken for orphans; one that this program started without brood could be, and whoever waits for
/// it would not learn how it ended. So collected are those in a process group that a child of brood
/// leads or led, as workers and commands do, and those in a session that neither they nor this
/// process began. Whoever else has ended is collected when nobody has done so for a minute.
/// Needs Linux and /proc; nothing is collected elsewhere.
enum class orphans
{
    automatic, ///< When this process is process 1, as in a container.
    collect,   ///< Orphans of all that this process starts come to it: PR_SET_CHILD_SUBREAPER.
    leave,     ///< Nobody: this process knows who else waits, or an init stands above it.
};

/// How a loop runs. The defaults suit all but the last microsecond.
struct run_options
{
    /// Before the loop sleeps it looks for work for so long, with one processor at full load: a
    /// message from another processor then takes a few microseconds and not the time of a wake-up.
    /// Zero is off.
    std::chrono::microseconds busy_poll{0};

    /// What the channel to the parent may hold.
    channel_limits channel = {};

    /// Whether orphans that come to this process are collected.
    brood::orphans orphans = brood::orphans::automatic;
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
