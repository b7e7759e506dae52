// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>

#include <optional>
#include <stdexcept>
#include <utility>

namespace brood
{
namespace detail
{

inline std::optional<asio::any_io_executor>& thread_executor()
{
    thread_local std::optional<asio::any_io_executor> executor;
    return executor;
}

} // namespace detail

/// The executor of everything that is made on this thread without naming one.
///
/// `brood::run` sets it; a program with a loop of its own sets it with `default_executor_scope`, or
/// hands its executor to each function as the first argument. Throws std::logic_error when there is
/// none.
inline asio::any_io_executor default_executor()
{
    if (auto& executor = detail::thread_executor())
        return *executor;
    throw std::logic_error("brood: this thread has no loop: call from inside brood::run(), make a "
                           "brood::default_executor_scope, or pass an executor as first argument");
}

/// Makes an executor the default of the calling thread for as long as this object lives.
///
/// Scopes nest; the one before comes back when the inner one ends. Make and destroy it on one
/// thread.
class default_executor_scope
{
public:
    explicit default_executor_scope(asio::any_io_executor executor)
        : before_(std::exchange(detail::thread_executor(), std::move(executor)))
    {
    }

    ~default_executor_scope() { detail::thread_executor() = std::move(before_); }

    default_executor_scope(const default_executor_scope&) = delete;
    default_executor_scope& operator=(const default_executor_scope&) = delete;

private:
    std::optional<asio::any_io_executor> before_;
};

} // namespace brood
