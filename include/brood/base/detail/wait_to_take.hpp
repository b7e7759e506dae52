// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/task.hpp>

#include <system_error>

namespace brood::detail
{

/// Waits for something to take. One that is cancelled throws operation_aborted, also when that
/// comes in the turn in which it was woken, and the next one is woken in its place: what it took
/// would be lost, as under `||` nobody looks at what the loser gives. The queue must live until
/// then.
inline task<> wait_to_take(wait_queue& in)
{
    co_await in.wait();
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none)
        co_return;
    in.post_one();
    throw std::system_error(asio::error::operation_aborted);
}

} // namespace brood::detail
