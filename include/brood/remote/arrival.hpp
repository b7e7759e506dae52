// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/process/internal/arrival.hpp>

namespace brood
{
namespace detail
{

/// Reads on stdin where the primary is, connects to it, and takes what it says as the inheritance
/// of this process. Ends the process, with a sentence on stderr, when that fails.
void arrive_at_primary();

/// Whoever includes this can be a worker elsewhere.
inline const bool can_be_elsewhere = (go_to_primary = &arrive_at_primary, true);

} // namespace detail
} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/arrival.ipp>
#endif
