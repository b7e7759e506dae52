// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <sys/types.h>

namespace brood::os
{

/// Names for some priorities: the "nice values" of POSIX, where less is more urgent.
///
/// Follows Node's os.constants.priority: https://nodejs.org/api/os.html#priority-constants
namespace priority
{

inline constexpr int low = 19;
inline constexpr int below_normal = 10;
inline constexpr int normal = 0;
inline constexpr int above_normal = -7;
inline constexpr int high = -14;
inline constexpr int highest = -20;

} // namespace priority

/// The priority of a process, -20 to 19; of this one when the pid is 0.
///
/// Throws std::system_error: ESRCH when there is no such process.
/// Follows getpriority(2) and Node's os.getPriority():
/// https://nodejs.org/api/os.html#osgetprioritypid
int get_priority(pid_t pid = 0);

/// Sets the priority of this process, -20 to 19.
///
/// Throws as the one below. On Linux each thread has its own: this one's is set, and threads and
/// processes that it starts inherit it.
void set_priority(int value);

/// Sets the priority of a process, -20 to 19; of this one when the pid is 0.
///
/// Throws std::invalid_argument for a value outside of this range, where setpriority(2) would take
/// the nearest one, and std::system_error: ESRCH when there is no such process, EACCES when only a
/// privileged process may make it more urgent, EPERM when it belongs to somebody else.
/// Follows setpriority(2) and Node's os.setPriority():
/// https://nodejs.org/api/os.html#ossetprioritypid-priority
void set_priority(pid_t pid, int value);

} // namespace brood::os

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/os/impl/priority.ipp>
#endif
