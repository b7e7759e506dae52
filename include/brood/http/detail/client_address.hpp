// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/byte_stream.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <system_error>

namespace brood::http::detail
{

/// The address of the other side without its port: "192.0.2.7"; IPv4 also when it came to an IPv6
/// socket. "-" for a local socket, or one that is not connected any more.
inline std::string client_address(const socket_type& socket)
{
    std::error_code gone;
    auto endpoint = socket.remote_endpoint(gone);
    auto address = reinterpret_cast<const sockaddr*>(endpoint.data());
    char text[INET6_ADDRSTRLEN] = "-";
    if (gone)
        return text;
    if (address->sa_family == AF_INET)
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text,
                    sizeof text);
    if (address->sa_family == AF_INET6)
    {
        auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&v6))
            ::inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof text);
        else
            ::inet_ntop(AF_INET6, &v6, text, sizeof text);
    }
    return text;
}

} // namespace brood::http::detail
