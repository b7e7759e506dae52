// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace brood::os
{

/// The version of an internet address.
enum class ip_family
{
    v4 = 4,
    v6 = 6,
};

/// One address of a network interface. One that has several stands in the list as often.
struct network_interface
{
    std::string name;    ///< As the system names it, "lo" or "eth0".
    std::string address; ///< "192.0.2.2" or "fe80::fc:ff:fe00:1".
    std::string netmask; ///< "255.255.255.0" or "ffff:ffff:ffff:ffff::"; empty when it has none.
    ip_family family = ip_family::v4;
    std::string mac;            ///< Of its hardware; "00:00:00:00:00:00" when it has none.
    bool internal = false;      ///< Whether it leads to this machine only: a loopback.
    std::string cidr;           ///< "192.0.2.2/24"; empty when the netmask is no prefix.
    std::uint32_t scope_id = 0; ///< The interface that an address of version 6 is local to, or 0.
};

/// The internet addresses of the network interfaces that are up, in the order of the system.
///
/// Throws std::system_error when it does not tell.
/// Follows getifaddrs(3) and Node's os.networkInterfaces():
/// https://nodejs.org/api/os.html#osnetworkinterfaces
std::vector<network_interface> network_interfaces();

} // namespace brood::os

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/os/impl/network.ipp>
#endif
