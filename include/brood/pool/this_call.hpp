// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace brood
{
namespace detail
{

struct call_context;

} // namespace detail

/// What a function that a pool calls may know about the call that it works on: made by
/// this_call(). It may be kept and asked until the call ends.
class call_info
{
public:
    explicit call_info(std::shared_ptr<const detail::call_context> context) noexcept
        : context_(std::move(context))
    {
    }

    /// The how manieth time this call is begun, from 1. Above 1 it may have run before.
    unsigned attempt() const noexcept;

    /// When its caller waits no more, or nothing when it waits for ever.
    std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept;

    /// Whether nobody wants the result any more: the call is late, or its caller has gone. Costs no
    /// system call; a function that computes for long asks it now and then, and returns or throws.
    bool cancelled() const noexcept;

    /// The number of this worker, which none before or after it has.
    std::uint64_t worker() const noexcept;

    /// The place of this worker in its pool, which its successor takes over.
    std::size_t slot() const noexcept;

private:
    std::shared_ptr<const detail::call_context> context_;
};

/// The call of a pool that the calling code works on: from within the function, or anything that it
/// calls or awaits on the same thread. Throws std::logic_error elsewhere.
call_info this_call();

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/this_call.ipp>
#endif
