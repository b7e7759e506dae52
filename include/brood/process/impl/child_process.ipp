// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/process/child_process.hpp>
#include <brood/process/detail/child_process_core.hpp>
#include <brood/process/detail/child_tree.hpp>
#include <brood/process/detail/stopping.hpp>

#include <exception>
#include <stdexcept>

namespace brood
{
namespace detail
{

// What kill_requested() tells.
BROOD_INLINE bool note_signal(child_process_core& child, int signal, bool sent) noexcept
{
    if (sent && signal != 0)
        child.last_signal = signal;
    return sent;
}

template <class Pipes>
typename Pipes::mapped_type& find_pipe(const child_process& child, Pipes& pipes, int number)
{
    auto found = pipes.find(number);
    if (found == pipes.end())
        throw_system_error(EBADF,
                           "process " + std::to_string(child.pid()) + " (" + child.program() +
                               "): descriptor " + std::to_string(number),
                           "is no pipe this way; start it with stdio::pipe()");
    return found->second;
}

BROOD_INLINE task<exit_status> run_with(std::shared_ptr<child_process> child,
                                        std::function<task<>()> body)
{
    std::exception_ptr thrown;
    try
    {
        co_await body();
    }
    catch (...)
    {
        thrown = std::current_exception();
    }
    // A cancelled coroutine could not await the end any more.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto status = co_await child->stop();
    if (thrown)
        std::rethrow_exception(thrown);
    co_return status;
}

} // namespace detail

BROOD_INLINE child_process::child_process(std::shared_ptr<detail::child_process_core> core) noexcept
    : core_(std::move(core))
{
}

BROOD_INLINE child_process& child_process::operator=(child_process&& other) noexcept
{
    std::swap(core_, other.core_);
    child_process(std::move(other)).drop();
    return *this;
}

BROOD_INLINE child_process::~child_process()
{
    drop();
}

BROOD_INLINE void child_process::drop() noexcept
{
    if (core_)
        detail::drop(std::exchange(core_, nullptr));
}

BROOD_INLINE detail::child_process_core& child_process::use() const
{
    if (!core_)
        throw std::logic_error("brood: this child_process is the handle of no process; it was "
                               "moved from, or never made by spawn() or fork()");
    return *core_;
}

BROOD_INLINE pid_t child_process::pid() const
{
    return use().process.pid();
}

BROOD_INLINE const std::string& child_process::program() const
{
    return use().program;
}

BROOD_INLINE std::string child_process::host() const
{
    auto& far = use().far;
    return far && far->host ? far->host() : std::string();
}

BROOD_INLINE pipe_writer& child_process::in(int number)
{
    return detail::find_pipe(*this, use().inputs, number);
}

BROOD_INLINE pipe_reader& child_process::out(int number)
{
    return detail::find_pipe(*this, use().outputs, number);
}

BROOD_INLINE task<exit_status> child_process::exit()
{
    use();
    return detail::wait_for(core_, &detail::child_process_core::exited);
}

BROOD_INLINE task<exit_status> child_process::closed()
{
    use();
    return detail::wait_for(core_, &detail::child_process_core::closed);
}

BROOD_INLINE std::optional<exit_status> child_process::status() const
{
    return use().exited.peek();
}

BROOD_INLINE bool child_process::kill(int signal)
{
    return detail::note_signal(use(), signal, use().signal(signal));
}

BROOD_INLINE bool child_process::kill_tree(int signal)
{
    auto& child = use();
    auto sent = child.far ? child.signal(signal) : detail::child_tree(child).signal(signal);
    return detail::note_signal(child, signal, sent);
}

BROOD_INLINE int child_process::kill_requested() const
{
    return use().last_signal;
}

BROOD_INLINE task<exit_status> child_process::stop()
{
    return stop(use().stop);
}

BROOD_INLINE task<exit_status> child_process::stop(const stop_policy& policy)
{
    use();
    return detail::walk(core_, policy);
}

BROOD_INLINE void child_process::detach()
{
    use().on_drop = on_drop::detach;
}

} // namespace brood
