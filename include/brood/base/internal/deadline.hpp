// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <optional>

namespace brood::detail
{

/// When to wait no more; without a value, never.
using deadline = std::optional<std::chrono::steady_clock::time_point>;

/// A point in time so far from now; a time that has no end gives one that does not come.
template <class Number, class Unit>
std::chrono::steady_clock::time_point time_from_now(std::chrono::duration<Number, Unit> time)
{
    constexpr std::chrono::hours longest(24 * 365 * 100);
    return std::chrono::steady_clock::now() +
           (time < longest ? std::chrono::duration_cast<std::chrono::nanoseconds>(time) : longest);
}

} // namespace brood::detail
