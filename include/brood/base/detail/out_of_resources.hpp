// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <chrono>

namespace brood::detail
{

/// Whether a call failed for want of descriptors or of memory: what it was for may succeed later.
///
/// By number, as Asio's categories do not compare with std::errc (man 2 accept).
inline bool is_out_of_resources(int reason) noexcept
{
    return reason == EMFILE || reason == ENFILE || reason == ENOBUFS || reason == ENOMEM;
}

/// How long to wait then. A connection stays in the backlog meanwhile and its listener readable, so
/// that a loop which waited for that would spin.
inline constexpr std::chrono::milliseconds until_resources_may_be_free{50};

} // namespace brood::detail
