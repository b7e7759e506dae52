// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_plan.hpp>

#include <grp.h>
#include <unistd.h>

// What a child asks of a POSIX system other than Linux before its program runs. It was made by
// fork(2): only what is safe in a signal handler.

namespace brood::detail
{

// The type of a count is the system's own.
template <class Count>
bool set_groups(const std::vector<gid_t>& groups, int (*set)(Count, const gid_t*))
{
    return set(static_cast<Count>(groups.size()), groups.data()) == 0;
}

inline bool change_ids(const launch_plan& plan)
{
    if (plan.groups && !set_groups(*plan.groups, &::setgroups))
        return false;
    if (plan.gid && ::setgid(*plan.gid) == -1)
        return false;
    return !plan.uid || ::setuid(*plan.uid) != -1;
}

inline bool this_thread_is_permanent()
{
    return true; // no child is told to die with it
}

inline bool follow_parent(const launch_plan&)
{
    return true;
}

inline bool mark_range(int, int)
{
    return false;
}

template <class Visit>
bool visit_open_descriptors(Visit)
{
    return false;
}

} // namespace brood::detail
