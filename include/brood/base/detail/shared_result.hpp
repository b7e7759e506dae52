// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/internal/deadline.hpp>

#include <optional>
#include <utility>

namespace brood::detail
{

/// A value that is set once and awaited by any number of coroutines, before or after it is set.
template <class Value>
class shared_result
{
public:
    explicit shared_result(asio::any_io_executor executor) : waiting_(std::move(executor)) {}

    const asio::any_io_executor& executor() const noexcept { return waiting_.executor(); }

    bool ready() const noexcept { return value_.has_value(); }

    const std::optional<Value>& peek() const noexcept { return value_; }

    /// Whether the loop has been destroyed, so that nobody can wait any more.
    bool loop_has_ended() const noexcept { return waiting_.loop_has_ended(); }

    /// The first value stays; whoever waits goes on in a later turn of the loop.
    void set(Value value)
    {
        if (value_)
            return;
        value_.emplace(std::move(value));
        waiting_.post_all();
    }

    /// A copy of the value, without suspending when it is there. Keep this object alive until then.
    task<Value> get()
    {
        while (!value_)
            co_await waiting_.wait();
        co_return *value_;
    }

    /// The same until a point in time, when it gives nothing; for ever without one.
    task<std::optional<Value>> get_until(deadline until)
    {
        auto in_time = true;
        while (in_time && !value_)
            in_time = co_await waiting_.wait_until(until);
        co_return value_;
    }

private:
    std::optional<Value> value_;
    wait_queue waiting_;
};

} // namespace brood::detail
