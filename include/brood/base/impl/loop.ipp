// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>

#include <stdexcept>
#include <utility>

namespace brood
{
namespace detail
{

BROOD_INLINE std::optional<asio::any_io_executor>& thread_executor()
{
    thread_local std::optional<asio::any_io_executor> executor;
    return executor;
}

} // namespace detail

BROOD_INLINE asio::any_io_executor default_executor()
{
    if (auto& executor = detail::thread_executor())
        return *executor;
    throw std::logic_error("brood: this thread has no loop: call from inside brood::run(), make a "
                           "brood::default_executor_scope, or pass an executor as first argument");
}

BROOD_INLINE default_executor_scope::default_executor_scope(asio::any_io_executor executor)
    : before_(std::exchange(detail::thread_executor(), std::move(executor)))
{
}

BROOD_INLINE default_executor_scope::~default_executor_scope()
{
    detail::thread_executor() = std::move(before_);
}

} // namespace brood
