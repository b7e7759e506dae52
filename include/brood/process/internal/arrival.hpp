// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/wire/internal/cipher.hpp>

#include <memory>
#include <string>

// How a process that a launcher started elsewhere becomes one that looks as if its parent had
// forked it. Only <brood/remote.hpp> knows how to get there.

namespace brood::detail
{

/// Goes to the primary and calls leave_inheritance(), or ends this process when that fails.
/// <brood/remote.hpp> sets it; null in a program without that.
inline void (*go_to_primary)() = nullptr;

/// Whether this process came to its primary by itself: SIGTERM is then from whoever started it.
inline bool came_by_itself = false;

/// Goes to the primary when this process was started for that. Ends it when it cannot.
void arrive();

/// Leaves this process what a parent leaves to a child: the channel, and what its bytes pass
/// through, null for nothing; the name of the entry, who it is in its cluster, both perhaps empty,
/// and who the primary is.
void leave_inheritance(descriptor channel, std::shared_ptr<cipher> through,
                       const std::string& entry, const std::string& worker,
                       const std::string& primary);

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/arrival.ipp>
#endif
