// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <grp.h>
#include <optional>
#include <sys/types.h>
#include <unistd.h>

// What any system can take from a process. See confinement_linux.hpp.

namespace brood::detail
{

inline int become(std::optional<uid_t> uid, std::optional<gid_t> gid)
{
    auto another = (uid && *uid != ::geteuid()) || (gid && *gid != ::getegid());
    if (another && ::setgroups(0, nullptr) == -1)
        return errno;
    if (gid && ::setgid(*gid) == -1)
        return errno;
    return uid && ::setuid(*uid) == -1 ? errno : 0;
}

} // namespace brood::detail
