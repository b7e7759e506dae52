// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
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

namespace detail
{

inline std::string process_name(pid_t pid)
{
    return pid == 0 ? "this process" : "process " + std::to_string(pid);
}

} // namespace detail

inline int get_priority(pid_t pid)
{
    errno = 0; // -1 is a priority like any other
    int value = ::getpriority(PRIO_PROCESS, static_cast<id_t>(pid));
    if (value == -1 && errno != 0)
        throw_system_error(errno, "get the priority of", detail::process_name(pid));
    return value;
}

inline void set_priority(int value)
{
    set_priority(0, value);
}

inline void set_priority(pid_t pid, int value)
{
    if (value < priority::highest || value > priority::low)
        throw std::invalid_argument("set the priority of " + detail::process_name(pid) + ": " +
                                    std::to_string(value) + " is not from -20 to 19");
    check(::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), value), "set the priority of",
          detail::process_name(pid));
}

} // namespace brood::os
