// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/network.hpp>
#include <brood/os/network.hpp>

namespace brood::os
{

BROOD_INLINE std::vector<network_interface> network_interfaces()
{
    ifaddrs* entries = nullptr;
    check(::getifaddrs(&entries), "list the network interfaces");
    std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(entries, &::freeifaddrs);
    return detail::describe_all(entries);
}

} // namespace brood::os
