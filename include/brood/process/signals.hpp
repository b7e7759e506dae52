// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace brood
{

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
    explicit signals(const asio::any_io_executor& executor, int first, Numbers... others)
        : set_(std::make_unique<asio::signal_set>(executor, first))
    {
        (set_->add(others), ...);
    }

    /// The same for signals that are only known when the program runs.
    signals(const asio::any_io_executor& executor, const std::vector<int>& numbers)
        : set_(std::make_unique<asio::signal_set>(executor))
    {
        for (int number : numbers)
            set_->add(number);
    }

    /// The same on the default executor of this thread.
    template <class... Numbers>
    explicit signals(int first, Numbers... others) : signals(default_executor(), first, others...)
    {
    }

    /// The number of the next one.
    task<int> next()
    {
        auto number = co_await set_->async_wait(asio::use_awaitable);
        co_return number;
    }

    /// Calls a function in a turn of the loop after the next one has come.
    template <class Call>
    void wait_then(Call call)
    {
        set_->async_wait(
            [call = std::move(call)](std::error_code failed, int)
            {
                if (!failed)
                    call();
            });
    }

private:
    std::unique_ptr<asio::signal_set> set_;
};

} // namespace brood
