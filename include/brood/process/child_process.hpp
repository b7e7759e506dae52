// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/temporary.hpp>
#include <brood/base/task.hpp>
#include <brood/process/exit_status.hpp>
#include <brood/process/pipe.hpp>
#include <brood/process/stop_policy.hpp>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <type_traits>
#include <utility>

namespace brood
{
namespace detail
{

class child_process_core;

} // namespace detail

/// A child that was started: made by spawn(), used while it runs, and its end awaited.
///
/// The handle owns its child. Destroyed while the child runs, it never blocks and never throws: the
/// child is stopped, killed or detached in the background of the loop, as spawn_options::on_drop
/// says. What still runs when the loop goes is killed. Every wait may be cancelled and loses
/// nothing, any number of coroutines may wait, before and after the end, and the handle may be
/// moved or destroyed meanwhile. A child that runs keeps its loop running. Follows Node's
/// ChildProcess: https://nodejs.org/api/child_process.html#class-childprocess
class child_process
{
public:
    /// No process: what needs one throws std::logic_error.
    child_process() noexcept = default;

    child_process(child_process&&) noexcept = default;
    child_process& operator=(child_process&& other) noexcept;
    ~child_process();

    /// Whether this is the handle of a child, which may have ended.
    explicit operator bool() const noexcept { return core_ != nullptr; }

    pid_t pid() const;

    /// What it was started as.
    const std::string& program() const;

    /// The host on which a launcher runs it, by the name that the launcher has for it; empty for
    /// one of this machine, and until it is known.
    std::string host() const;

    /// Writes to its standard input, or to another of its descriptors that was asked to be a pipe
    /// to it or a stream both ways. Throws std::system_error (EBADF) for any other.
    pipe_writer& in(int number = 0);

    /// Reads what it prints, or from another of its descriptors that was asked to be a pipe or a
    /// stream both ways. Throws std::system_error (EBADF) for any other.
    pipe_reader& out(int number = 1);

    pipe_reader& err() { return out(2); }

    /// Waits for its end, after everything it sent over its channel can be taken.
    task<exit_status> exit();

    /// Waits for its end and until nobody, a grandchild say, holds the other end of any pipe to it.
    /// What is left in the pipes can still be read.
    task<exit_status> closed();

    /// How it ended, or nothing while it runs.
    std::optional<exit_status> status() const;

    /// Sends it a signal; 0 only looks whether it is there. False when it has ended: a process that
    /// got its number later is never hit. Throws std::system_error (EPERM, EINVAL).
    bool kill(int signal = SIGTERM);

    /// Sends a signal to it and to all that it started, and they; to its process group as well when
    /// it leads one. Before SIGKILL all of them are frozen, so that none starts another unseen.
    /// What left it before, a daemon, is not found. False when it has ended itself.
    bool kill_tree(int signal = SIGTERM);

    /// The last signal that kill() or kill_tree() sent, 0 before. Says nothing about its end.
    int kill_requested() const;

    /// Ends it step by step, as spawn_options::stop says, and waits for its end. Throws
    /// errc::timed_out when it survives every step. Cancelled, it takes no further step.
    task<exit_status> stop();

    /// The same by another policy.
    task<exit_status> stop(const stop_policy& policy);

    /// Lets it go on when this handle, or its loop, or this program, ends.
    void detach();

private:
    friend class detail::child_process_core;

    explicit child_process(std::shared_ptr<detail::child_process_core> core) noexcept;

    detail::child_process_core& use() const;

    void drop() noexcept;

    std::shared_ptr<detail::child_process_core> core_;
};

namespace detail
{

task<exit_status> run_with(std::shared_ptr<child_process> child, std::function<task<>()> body);

template <class Result>
task<> without_result(task<Result> work)
{
    co_await std::move(work);
}

} // namespace detail

/// Runs `body(child)`, then stops the child and awaits its end: also when the body throws or is
/// cancelled.
///
/// `child` is what spawn() or fork() gave and is moved in; `body` takes a reference to it and
/// returns a task. Gives how the child ended; throws what the body threw, or errc::timed_out when
/// the child survives its stop policy.
template <class Child, class Body>
task<exit_status> with(Child child, Body&& body)
{
    detail::check_temporary<Body>();
    struct both
    {
        Child child;
        std::decay_t<Body> body;
    };
    auto held = std::make_shared<both>(both{std::move(child), std::forward<Body>(body)});
    auto run = [of = held.get()]() -> task<>
    {
        if constexpr (std::is_same_v<decltype(of->body(of->child)), task<>>)
            return of->body(of->child);
        else
            return detail::without_result(of->body(of->child));
    };
    return detail::run_with(std::shared_ptr<child_process>(held, &held->child), run);
}

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/child_process.ipp>
#endif
