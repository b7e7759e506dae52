// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/os/detail/link_address.hpp>
#include <brood/os/network.hpp>

#include <arpa/inet.h>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ifaddrs.h>
#include <map>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace brood::os::detail
{

/// The bytes of an internet address of one of the two versions.
struct ip_bytes
{
    int domain = AF_UNSPEC;
    std::array<unsigned char, 16> bytes{};
    std::uint32_t scope_id = 0;

    std::span<const unsigned char> used() const
    {
        return {bytes.data(), std::size_t{domain == AF_INET ? 4u : 16u}};
    }
};

/// The internet address in a socket address; nothing in one of another kind, or where there is
/// none.
inline std::optional<ip_bytes> ip_of(const sockaddr* address)
{
    if (address == nullptr)
        return std::nullopt;
    ip_bytes found{address->sa_family};
    if (found.domain == AF_INET)
    {
        sockaddr_in version4{};
        std::memcpy(&version4, address, sizeof version4);
        std::memcpy(found.bytes.data(), &version4.sin_addr, 4);
        return found;
    }
    if (found.domain != AF_INET6)
        return std::nullopt;
    sockaddr_in6 version6{};
    std::memcpy(&version6, address, sizeof version6);
    std::memcpy(found.bytes.data(), &version6.sin6_addr, 16);
    found.scope_id = version6.sin6_scope_id;
    return found;
}

inline std::string ip_text(const ip_bytes& address)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.domain, address.bytes.data(), text.data(), text.size());
    return text.data();
}

/// How many bits a netmask leaves to the network; nothing when they are not its first ones.
inline std::optional<int> prefix_length(std::span<const unsigned char> netmask)
{
    int ones = 0, last = 0;
    for (int bits = 8; auto byte : netmask)
    {
        ones += std::popcount(byte);
        if (byte != 0)
            last = bits - std::countr_zero(byte);
        bits += 8;
    }
    if (ones != last)
        return std::nullopt;
    return ones;
}

inline std::string mac_text(const hardware_address& address)
{
    constexpr auto digits = "0123456789abcdef";
    std::string text;
    for (auto byte : address)
    {
        if (!text.empty())
            text += ':';
        text += {digits[byte / 16], digits[byte % 16]};
    }
    return text;
}

/// The text of what getifaddrs(3) gives for one internet address, all but the hardware's.
inline network_interface describe(const ifaddrs& entry, const ip_bytes& address)
{
    network_interface found;
    found.name = entry.ifa_name;
    found.address = ip_text(address);
    found.family = address.domain == AF_INET ? ip_family::v4 : ip_family::v6;
    found.internal = (entry.ifa_flags & IFF_LOOPBACK) != 0;
    found.scope_id = address.scope_id;
    auto netmask = ip_of(entry.ifa_netmask);
    if (!netmask)
        return found;
    found.netmask = ip_text(*netmask);
    if (auto length = prefix_length(netmask->used()))
        found.cidr = found.address + "/" + std::to_string(*length);
    return found;
}

/// The interface of an alias: "eth0" for "eth0:1", which has the same hardware.
inline std::string base_name(const std::string& name)
{
    return name.substr(0, name.find(':'));
}

/// The same for all entries of a list, and for tests a list that they made.
inline std::vector<network_interface> describe_all(const ifaddrs* entries)
{
    constexpr unsigned up = IFF_UP | IFF_RUNNING;
    std::vector<network_interface> found;
    std::map<std::string, hardware_address> hardware;
    for (auto entry = entries; entry != nullptr; entry = entry->ifa_next)
    {
        if ((entry->ifa_flags & up) != up || entry->ifa_addr == nullptr)
            continue;
        if (auto address = ip_of(entry->ifa_addr))
            found.push_back(describe(*entry, *address));
        else if (auto card = link_address(entry->ifa_addr))
            hardware[entry->ifa_name] = *card;
    }
    for (auto& each : found)
        each.mac = mac_text(hardware[base_name(each.name)]);
    return found;
}

} // namespace brood::os::detail
