// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <memory>
#include <string>

// How two workers come to a channel when one of them at least is on another machine than their
// primary: one waits, the other goes there. Only <brood/remote.hpp> knows the way.

namespace brood::detail
{

class link;

/// Where one of them waits, and how the two know each other.
struct meeting_point
{
    std::string endpoint;    ///< "tcp:10.0.0.7:41000"
    std::string secret;      ///< In hexadecimal, good once.
    std::string certificate; ///< The mark of the one that is shown there; empty in the clear.
};

struct far_meeting
{
    /// Begins to wait for another worker, for whom this link waits, at the address from which this
    /// one reaches its primary. Throws brood::error (not_local) when nobody could come there, and
    /// std::system_error.
    meeting_point (*wait)(const std::shared_ptr<link>& whom, const std::string& own_address,
                          bool encrypted);

    /// Goes where another worker waits, and gives the link its socket. Throws brood::error or
    /// std::system_error with why it could not.
    task<> (*go)(std::shared_ptr<link> whom, meeting_point where);
};

/// <brood/remote.hpp> sets it; null in a program without that.
inline const far_meeting* meets_elsewhere = nullptr;

} // namespace brood::detail
