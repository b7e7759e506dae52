// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/child_state.hpp>
#include <brood/process/detail/descendants.hpp>

#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood
{

/// A child that was started: made by spawn(), used while it runs, and its end awaited.
///
/// The handle owns its child. Destroyed while the child runs, it never blocks and never throws: the
/// child is stopped, killed or left alone in the background of the loop, as spawn_options::on_drop
/// says. What still runs when the loop goes is killed. Every wait may be cancelled and loses
/// nothing, any number of coroutines may wait, before and after the end, and the handle may be
/// moved meanwhile. Follows Node's ChildProcess:
/// https://nodejs.org/api/child_process.html#class-childprocess
class child_process
{
public:
    /// No process.
    child_process() noexcept = default;

    explicit child_process(std::shared_ptr<detail::child_state> state) noexcept
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

    pid_t pid() const noexcept { return state_->process.pid(); }

    /// What it was started as.
    const std::string& program() const noexcept { return state_->program; }

    /// Writes to its standard input. Only when that was asked to be a pipe.
    pipe_writer& in()
    {
        if (!state_->input)
            throw_no_pipe("stdin");
        return *state_->input;
    }

    /// Reads what it prints. Only when that was asked to be a pipe.
    pipe_reader& out() { return output(1); }

    pipe_reader& err() { return output(2); }

    /// Reads from another of its descriptors that was asked to be a pipe.
    pipe_reader& output(int number)
    {
        auto found = state_->outputs.find(number);
        if (found == state_->outputs.end())
            throw_no_pipe("descriptor " + std::to_string(number));
        return found->second;
    }

    /// Waits for its end, after everything it sent over its channel can be taken.
    task<exit_status> exit() { return await_exit(state_); }

    /// Waits for its end and until nobody, a grandchild say, holds the other end of any pipe to it.
    /// What is left in the pipes can still be read.
    task<exit_status> closed() { return await_closed(state_); }

    /// How it ended, or nothing while it runs.
    std::optional<exit_status> status() const noexcept { return state_->exited.peek(); }

    /// Sends it a signal; 0 only looks whether it is there. False when it has ended: a process that
    /// got its number later is never hit. Throws std::system_error (EPERM, EINVAL).
    bool kill(int signal = SIGTERM)
    {
        auto sent = state_->process.signal(signal);
        if (sent && signal != 0)
            state_->last_signal = signal;
        return sent;
    }

    /// Sends a signal to it and to all that it started, and they. Those that appear meanwhile, or
    /// lost their parent, are hit when they share its process group and it leads one.
    bool kill_tree(int signal = SIGTERM)
    {
        std::vector<pid_t> tree;
        if (!state_->process.collected())
            detail::add_descendants(pid(), tree);
        auto leads = !state_->process.collected() && ::getpgid(pid()) == pid();
        auto sent = kill(signal);
        if (leads)
            ::kill(-pid(), signal);
        for (auto each : tree)
            ::kill(each, signal);
        return sent;
    }

    /// The last signal that kill() or kill_tree() sent, 0 before. Says nothing about its end.
    int kill_requested() const noexcept { return state_->last_signal; }

    /// Ends it step by step, and waits for its end. Throws errc::timed_out when it survives every
    /// step.
    task<exit_status> stop() { return detail::walk(state_, state_->stop); }

    /// The same by another policy than the options gave.
    task<exit_status> stop(const stop_policy& policy) { return detail::walk(state_, policy); }

    /// Lets it go on when this handle, or this program, ends.
    void detach() noexcept { state_->on_drop = on_drop::detach; }

protected:
    const std::shared_ptr<detail::child_state>& state() const noexcept { return state_; }

private:
    static task<exit_status> await_exit(std::shared_ptr<detail::child_state> state)
    {
        auto status = co_await state->exited.get();
        co_return status;
    }

    static task<exit_status> await_closed(std::shared_ptr<detail::child_state> state)
    {
        auto status = co_await state->closed.get();
        co_return status;
    }

    [[noreturn]] void throw_no_pipe(const std::string& what) const
    {
        throw_system_error(EBADF,
                           "process " + std::to_string(pid()) + " (" + program() + "): " + what,
                           "is no pipe; start it with stdio::pipe()");
    }

    void drop() noexcept
    {
        auto last = std::exchange(state_, nullptr);
        if (last && !last->exited.ready())
            detail::drop(std::move(last));
    }

    std::shared_ptr<detail::child_state> state_;
};

/// Runs `body(child)`, then stops the child and awaits its end: also when the body throws or is
/// cancelled.
///
/// `Child` is what spawn() or fork() gave, by value; `body` takes a reference to it and returns a
/// task.
template <class Child, class Body>
task<exit_status> with(Child child, Body body)
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

} // namespace brood
