// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/far_address.hpp>

#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace brood::detail
{

/// Whether an address of IPv4, in the order of this machine, is of this machine or of a network
/// that nobody reaches from outside: loopback, RFC 1918, link-local (RFC 3927), and shared by the
/// customers of a provider (RFC 6598), as overlay networks use it.
constexpr bool is_private(std::uint32_t address) noexcept
{
    struct network
    {
        std::uint32_t begin;
        unsigned bits;
    };
    constexpr std::array networks{network{0x7f000000, 8},  network{0x0a000000, 8},
                                  network{0xac100000, 12}, network{0xc0a80000, 16},
                                  network{0xa9fe0000, 16}, network{0x64400000, 10}};
    for (auto each : networks)
        if (((address ^ each.begin) >> (32 - each.bits)) == 0)
            return true;
    return false;
}

/// The same for any address: of IPv6 loopback, link-local (fe80::/10) and unique local ones
/// (fc00::/7, RFC 4193), and those of IPv4 within it. An address that stands for all of a machine's
/// is not private.
inline bool is_private(const far_address& address) noexcept
{
    if (address.family() == AF_INET)
        return is_private(
            ntohl(reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr.s_addr));
    if (address.family() != AF_INET6)
        return true; // a socket of this machine
    auto& six = reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&six))
    {
        std::uint32_t four = 0;
        for (int index = 12; index < 16; ++index)
            four = four << 8 | six.s6_addr[index];
        return is_private(four);
    }
    return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six) ||
           (six.s6_addr[0] & 0xfe) == 0xfc;
}

/// Throws std::invalid_argument when workers would connect to one of these addresses in the clear,
/// outside a private network, and nobody said that they shall. `who` starts them, for people.
inline void check_encryption(const std::string& who, const std::vector<std::string>& hosts,
                             const std::optional<bool>& encrypt)
{
    if (encrypt)
        return;
    for (auto& each : hosts)
    {
        auto address = internet_address(each, 0);
        if (address && !is_private(*address))
            throw std::invalid_argument(
                "brood: workers of " + who + " would connect to " + each +
                ", which is not of a private network, and nothing would be encrypted: set encrypt "
                "to true, or to false where something else protects what crosses");
    }
}

} // namespace brood::detail
