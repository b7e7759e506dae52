// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>

namespace brood
{

BROOD_INLINE task<> sleep(std::chrono::steady_clock::duration time)
{
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace brood
