// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/os/priority.hpp>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>

namespace brood::os
{
namespace detail
{

BROOD_INLINE std::string process_name(pid_t pid)
{
    return pid == 0 ? "this process" : "process " + std::to_string(pid);
}

} // namespace detail

BROOD_INLINE int get_priority(pid_t pid)
{
    errno = 0; // -1 is a priority like any other
    int value = ::getpriority(PRIO_PROCESS, static_cast<id_t>(pid));
    if (value == -1 && errno != 0)
        throw_system_error(errno, "get the priority of", detail::process_name(pid));
    return value;
}

BROOD_INLINE void set_priority(int value)
{
    set_priority(0, value);
}

BROOD_INLINE void set_priority(pid_t pid, int value)
{
    if (value < priority::highest || value > priority::low)
        throw std::invalid_argument("set the priority of " + detail::process_name(pid) + ": " +
                                    std::to_string(value) + " is not from -20 to 19");
    check(::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), value), "set the priority of",
          detail::process_name(pid));
}

} // namespace brood::os
