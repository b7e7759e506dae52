// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/process/internal/arrival.hpp>
#include <brood/process/internal/far_meeting.hpp>

namespace brood
{
namespace detail
{

/// Reads on stdin where the primary is, connects to it, and takes what it says as the inheritance
/// of this process. Ends the process, with a sentence on stderr, when that fails.
void arrive_at_primary();

/// How two workers elsewhere meet.
const far_meeting& way_to_meet() noexcept;

/// Whoever includes this can be a worker elsewhere.
inline const bool can_be_elsewhere =
    (go_to_primary = &arrive_at_primary, meets_elsewhere = &way_to_meet(), true);

} // namespace detail
} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/arrival.ipp>
#endif
