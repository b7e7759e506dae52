// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <sched.h>
#include <unistd.h>
#include <vector>

namespace brood::os::detail
{

/// How many CPUs are online, whoever may use them; at least 1.
inline unsigned online_cpus() noexcept
{
    return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

#ifdef __linux__

/// How many CPUs the calling thread may run on, by sched_getaffinity(2).
///
/// A cpu_set_t has room for 1024; the kernel refuses, with EINVAL, a set that is smaller than its
/// own. Where the call is forbidden, all that are online count.
inline unsigned allowed_cpus()
{
    for (std::size_t sets = 1; sets <= 64; sets *= 2)
    {
        std::vector<cpu_set_t> room(sets);
        auto size = sets * sizeof(cpu_set_t);
        if (::sched_getaffinity(0, size, room.data()) == 0)
            return static_cast<unsigned>(std::max(1, CPU_COUNT_S(size, room.data())));
        if (errno != EINVAL)
            break;
    }
    return online_cpus();
}

#else

inline unsigned allowed_cpus()
{
    return online_cpus();
}

#endif

} // namespace brood::os::detail
