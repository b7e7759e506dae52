// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>

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

    bool ready() const noexcept { return value_.has_value(); }

    const std::optional<Value>& peek() const noexcept { return value_; }

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

private:
    std::optional<Value> value_;
    wait_queue waiting_;
};

} // namespace brood::detail
