// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __linux__
#include <netpacket/packet.h>
#else
#include <net/if_dl.h>
#endif

namespace brood::os::detail
{

/// The address of a network card. One of another length than Ethernet's, as of a tunnel, is zeros.
using hardware_address = std::array<unsigned char, 6>;

/// The address of the hardware among what getifaddrs(3) gives; nothing in any other address.
std::optional<hardware_address> link_address(const sockaddr* address);

#ifdef __linux__

// By packet(7).
inline std::optional<hardware_address> link_address(const sockaddr* address)
{
    if (address->sa_family != AF_PACKET)
        return std::nullopt;
    sockaddr_ll link{};
    std::memcpy(&link, address, sizeof link);
    hardware_address bytes{};
    if (link.sll_halen == bytes.size())
        std::memcpy(bytes.data(), link.sll_addr, bytes.size());
    return bytes;
}

#else

// macOS and the BSDs. The name of the interface stands before the address, which may therefore
// reach beyond the end of the type: nothing is copied but the address.
inline std::optional<hardware_address> link_address(const sockaddr* address)
{
    if (address->sa_family != AF_LINK)
        return std::nullopt;
    auto link = reinterpret_cast<const sockaddr_dl*>(address);
    hardware_address bytes{};
    if (link->sdl_alen == bytes.size())
        std::memcpy(bytes.data(), LLADDR(link), bytes.size());
    return bytes;
}

#endif

} // namespace brood::os::detail
