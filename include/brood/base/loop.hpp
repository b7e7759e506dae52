// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>

#include <optional>

namespace brood
{

/// The executor of everything that is made on this thread without naming one.
///
/// `brood::run` sets it; a program with a loop of its own sets it with `default_executor_scope`, or
/// hands its executor to each function as the first argument. Throws std::logic_error when there is
/// none.
asio::any_io_executor default_executor();

/// Makes an executor the default of the calling thread for as long as this object lives.
///
/// Scopes nest; the one before comes back when the inner one ends. Make and destroy it on one
/// thread.
class default_executor_scope
{
public:
    explicit default_executor_scope(asio::any_io_executor executor);
    ~default_executor_scope();

    default_executor_scope(const default_executor_scope&) = delete;
    default_executor_scope& operator=(const default_executor_scope&) = delete;

private:
    std::optional<asio::any_io_executor> before_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/base/impl/loop.ipp>
#endif
