// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>

#include <chrono>

namespace brood
{

/// A coroutine: it starts when it is awaited, and the one that awaits it gets its value or
/// exception.
///
/// This is Asio's own coroutine, so any Asio operation can be awaited in it with
/// `asio::use_awaitable`, and `asio::co_spawn` starts one beside the caller. It reacts to terminal
/// cancellation unless told otherwise (`asio::this_coro::reset_cancellation_state`).
template <class Value = void>
using task = asio::awaitable<Value>;

/// Suspends the calling coroutine for the given time; nothing else on the loop waits.
///
/// Cancelled, it throws operation_aborted at once. A time of zero or less yields one turn of the
/// loop.
task<> sleep(std::chrono::steady_clock::duration time);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/base/impl/task.ipp>
#endif
