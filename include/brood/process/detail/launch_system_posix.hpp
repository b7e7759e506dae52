// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_plan.hpp>

#include <grp.h>
#include <unistd.h>

// What a child asks of a POSIX system other than Linux before its program runs. It was made by
// fork(2): only what is safe in a signal handler.

namespace brood::detail
{

inline bool change_ids(const launch_plan& plan)
{
    if (plan.groups &&
        ::setgroups(static_cast<int>(plan.groups->size()), plan.groups->data()) == -1)
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
