// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/internal/temporary.hpp>
#include <brood/process/detail/child_tree.hpp>
#include <brood/process/detail/stopping.hpp>

#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace brood
{

/// A child that was started: made by spawn(), used while it runs, and its end awaited.
///
/// The handle owns its child. Destroyed while the child runs, it never blocks and never throws: the
/// child is stopped, killed or left alone in the background of the loop, as spawn_options::on_drop
/// says. What still runs when the loop goes is killed. Every wait may be cancelled and loses
/// nothing, any number of coroutines may wait, before and after the end, and the handle may be
/// moved or destroyed meanwhile. A child that runs keeps its loop running. Follows Node's
/// ChildProcess: https://nodejs.org/api/child_process.html#class-childprocess
class child_process
{
public:
    /// No process: what needs one throws std::logic_error.
    child_process() noexcept = default;

    explicit child_process(std::shared_ptr<detail::child_process_core> state) noexcept
        : state_(std::move(state))
    {
    }

    child_process(child_process&&) noexcept = default;

    child_process& operator=(child_process&& other) noexcept
    {
        std::swap(state_, other.state_);
        child_process(std::move(other)).drop();
        return *this;
    }

    ~child_process() { drop(); }

    /// Whether this is the handle of a child, which may have ended.
    explicit operator bool() const noexcept { return state_ != nullptr; }

    pid_t pid() const { return use().process.pid(); }

    /// What it was started as.
    const std::string& program() const { return use().program; }

    /// Writes to its standard input, or to another of its descriptors that was asked to be a pipe
    /// to it or a stream both ways. Throws std::system_error (EBADF) for any other.
    pipe_writer& in(int number = 0) { return find(use().inputs, number); }

    /// Reads what it prints, or from another of its descriptors that was asked to be a pipe or a
    /// stream both ways. Throws std::system_error (EBADF) for any other.
    pipe_reader& out(int number = 1) { return find(use().outputs, number); }

    pipe_reader& err() { return out(2); }

    /// Waits for its end, after everything it sent over its channel can be taken.
    task<exit_status> exit()
    {
        return detail::wait_for(shared(), &detail::child_process_core::exited);
    }

    /// Waits for its end and until nobody, a grandchild say, holds the other end of any pipe to it.
    /// What is left in the pipes can still be read.
    task<exit_status> closed()
    {
        return detail::wait_for(shared(), &detail::child_process_core::closed);
    }

    /// How it ended, or nothing while it runs.
    std::optional<exit_status> status() const { return use().exited.peek(); }

    /// Sends it a signal; 0 only looks whether it is there. False when it has ended: a process that
    /// got its number later is never hit. Throws std::system_error (EPERM, EINVAL).
    bool kill(int signal = SIGTERM) { return note(signal, use().process.signal(signal)); }

    /// Sends a signal to it and to all that it started, and they; to its process group as well when
    /// it leads one. Before SIGKILL all of them are stopped, so that none starts another unseen.
    /// What left it before, a daemon, is not found. False when it has ended itself.
    bool kill_tree(int signal = SIGTERM)
    {
        return note(signal, detail::child_tree(use()).signal(signal));
    }

    /// The last signal that kill() or kill_tree() sent, 0 before. Says nothing about its end.
    int kill_requested() const { return use().last_signal; }

    /// Ends it step by step, as spawn_options::stop says, and waits for its end. Throws
    /// errc::timed_out when it survives every step. Cancelled, it takes no further step.
    task<exit_status> stop() { return detail::walk(shared(), use().stop); }

    /// The same by another policy.
    task<exit_status> stop(const stop_policy& policy) { return detail::walk(shared(), policy); }

    /// Lets it go on when this handle, or its loop, or this program, ends.
    void detach() { use().on_drop = on_drop::detach; }

protected:
    const std::shared_ptr<detail::child_process_core>& state() const noexcept { return state_; }

private:
    const std::shared_ptr<detail::child_process_core>& shared() const
    {
        if (!state_)
            throw std::logic_error("brood: this child_process is the handle of no process; it was "
                                   "moved from, or never made by spawn() or fork()");
        return state_;
    }

    detail::child_process_core& use() const { return *shared(); }

    // What kill_requested() tells.
    bool note(int signal, bool sent)
    {
        if (sent && signal != 0)
            state_->last_signal = signal;
        return sent;
    }

    template <class Pipes>
    typename Pipes::mapped_type& find(Pipes& pipes, int number) const
    {
        auto found = pipes.find(number);
        if (found == pipes.end())
            throw_system_error(EBADF,
                               "process " + std::to_string(pid()) + " (" + program() +
                                   "): descriptor " + std::to_string(number),
                               "is no pipe this way; start it with stdio::pipe()");
        return found->second;
    }

    void drop() noexcept
    {
        if (state_)
            detail::drop(std::exchange(state_, nullptr));
    }

    std::shared_ptr<detail::child_process_core> state_;
};

namespace detail
{

template <class Child, class Body>
task<exit_status> run_with(Child child, Body body)
{
    std::exception_ptr thrown;
    try
    {
        co_await body(child);
    }
    catch (...)
    {
        thrown = std::current_exception();
    }
    // A cancelled coroutine could not await the end any more.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto status = co_await child.stop();
    if (thrown)
        std::rethrow_exception(thrown);
    co_return status;
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
    return detail::run_with<Child, std::decay_t<Body>>(std::move(child), std::forward<Body>(body));
}

} // namespace brood
