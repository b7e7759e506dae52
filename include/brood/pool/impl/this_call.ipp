// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/call_context.hpp>
#include <brood/pool/this_call.hpp>

#include <stdexcept>

namespace brood
{

BROOD_INLINE unsigned call_info::attempt() const noexcept
{
    return context_->head.attempt;
}

BROOD_INLINE std::optional<std::chrono::steady_clock::time_point>
call_info::deadline() const noexcept
{
    if (context_->head.deadline == 0)
        return std::nullopt;
    std::chrono::nanoseconds since(context_->head.deadline);
    return std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(since));
}

BROOD_INLINE bool call_info::cancelled() const noexcept
{
    return context_->is_cancelled();
}

BROOD_INLINE std::uint64_t call_info::worker() const noexcept
{
    return context_->worker;
}

BROOD_INLINE std::size_t call_info::slot() const noexcept
{
    return context_->slot;
}

BROOD_INLINE call_info this_call()
{
    if (!detail::current_call)
        throw std::logic_error("brood: this_call() is for functions that a pool calls, while they "
                               "work on a call");
    return call_info(detail::current_call);
}

} // namespace brood
