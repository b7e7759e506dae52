// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/host.hpp>
#include <brood/os/host.hpp>

namespace brood::os
{

BROOD_INLINE std::string hostname()
{
    return detail::uname().nodename;
}

BROOD_INLINE std::string platform()
{
    return detail::lower_case(type());
}

BROOD_INLINE std::string type()
{
    return detail::uname().sysname;
}

BROOD_INLINE std::string release()
{
    return detail::uname().release;
}

BROOD_INLINE std::string version()
{
    return detail::uname().version;
}

BROOD_INLINE std::string machine()
{
    return detail::uname().machine;
}

BROOD_INLINE std::string arch()
{
    return detail::arch_of(machine(), sizeof(void*) == 8);
}

BROOD_INLINE std::string endianness()
{
    return detail::big_endian ? "BE" : "LE";
}

BROOD_INLINE std::chrono::milliseconds uptime()
{
    return detail::uptime({});
}

} // namespace brood::os
