// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

class signals_core;

} // namespace detail

/// Signals of this process as something to wait for, instead of what they would do by default.
///
/// Each object gets every one of its signals that comes while it lives, also between two waits;
/// several objects may name the same signal. When the last one goes, the default is back. Follows
/// Node's signal events: https://nodejs.org/api/process.html#signal-events
class signals
{
public:
    /// Throws std::system_error (EINVAL) for SIGKILL, SIGSTOP and what is no signal.
    template <class... Numbers>
    explicit signals(asio::any_io_executor executor, int first, Numbers... others)
        : signals(std::move(executor), std::vector<int>{first, others...})
    {
    }

    /// The same on the default executor of this thread.
    template <class... Numbers>
    explicit signals(int first, Numbers... others) : signals(std::vector<int>{first, others...})
    {
    }

    /// The same for signals that are only known when the program runs.
    signals(asio::any_io_executor executor, const std::vector<int>& numbers);

    /// The same on the default executor of this thread.
    explicit signals(const std::vector<int>& numbers);

    signals(signals&&) noexcept;
    signals& operator=(signals&&) noexcept;
    ~signals();

    /// The number of the next one.
    task<int> next();

    /// Calls a function in a turn of the loop after the next one has come.
    void wait_then(std::function<void()> call);

private:
    std::unique_ptr<detail::signals_core> core_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/signals.ipp>
#endif
