// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace brood::detail
{

/// Where a primary is reached: "tcp:127.0.0.1:7000", "tcp:[::1]:7000", "unix:/tmp/brood-1".
struct far_address
{
    sockaddr_storage bytes = {};
    socklen_t size = 0;

    int family() const noexcept { return bytes.ss_family; }

    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&bytes); }
};

/// An address of the internet from its parts; nothing for what is none.
inline std::optional<far_address> internet_address(const std::string& host, std::uint16_t port)
{
    far_address result;
    auto four = reinterpret_cast<sockaddr_in*>(&result.bytes);
    auto six = reinterpret_cast<sockaddr_in6*>(&result.bytes);
    if (::inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1)
    {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        result.size = sizeof *four;
        return result;
    }
    if (::inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) != 1)
        return std::nullopt;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    result.size = sizeof *six;
    return result;
}

/// Reads one; nothing for what is none.
inline std::optional<far_address> read_address(std::string_view text)
{
    constexpr std::string_view local = "unix:", internet = "tcp:";
    if (text.starts_with(local))
    {
        text.remove_prefix(local.size());
        far_address result;
        auto path = reinterpret_cast<sockaddr_un*>(&result.bytes);
        if (text.empty() || text.size() >= sizeof path->sun_path)
            return std::nullopt;
        path->sun_family = AF_UNIX;
        std::memcpy(path->sun_path, text.data(), text.size());
        result.size = sizeof *path;
        return result;
    }
    auto colon = text.rfind(':');
    if (!text.starts_with(internet) || colon < internet.size())
        return std::nullopt;
    std::string host(text.substr(internet.size(), colon - internet.size()));
    std::string port(text.substr(colon + 1));
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    char* rest = nullptr;
    auto number = std::strtoul(port.c_str(), &rest, 10);
    if (port.empty() || *rest != '\0' || number == 0 || number > UINT16_MAX)
        return std::nullopt;
    return internet_address(host, static_cast<std::uint16_t>(number));
}

/// "tcp:127.0.0.1:7000"
inline std::string to_endpoint(const std::string& host, std::uint16_t port)
{
    auto named = host.find(':') == host.npos ? host : '[' + host + ']';
    return "tcp:" + named + ':' + std::to_string(port);
}

/// Where a socket is, or its peer, without the port; empty when it cannot be had.
inline std::string host_of(const sockaddr_storage& bytes)
{
    char text[INET6_ADDRSTRLEN] = {};
    const void* number = nullptr;
    if (bytes.ss_family == AF_INET)
        number = &reinterpret_cast<const sockaddr_in*>(&bytes)->sin_addr;
    else if (bytes.ss_family == AF_INET6)
        number = &reinterpret_cast<const sockaddr_in6*>(&bytes)->sin6_addr;
    return number != nullptr && ::inet_ntop(bytes.ss_family, number, text, sizeof text) != nullptr
               ? text
               : "";
}

/// The port of an address of the internet.
inline std::uint16_t port_of(const sockaddr_storage& bytes)
{
    return ntohs(bytes.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6*>(&bytes)->sin6_port
                     : reinterpret_cast<const sockaddr_in*>(&bytes)->sin_port);
}

/// The port to which a socket is bound. Throws std::system_error.
inline std::uint16_t port_of(const descriptor& socket)
{
    far_address address;
    address.size = sizeof address.bytes;
    auto place = reinterpret_cast<sockaddr*>(&address.bytes);
    check(::getsockname(socket.get(), place, &address.size), "look at a socket");
    return port_of(address.bytes);
}

/// What is set on a connection of TCP, so that the end of the other machine, or of the way there,
/// is seen: keepalive is for one on which nothing is under way, TCP_USER_TIMEOUT for the other. Not
/// a socket of TCP: nothing. tcp(7)
inline void keep_watch(int socket, int seconds = 10)
{
    auto set = [&](int level, int option, int value)
    {
        ::setsockopt(socket, level, option, &value, sizeof value);
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
    set(IPPROTO_TCP, TCP_KEEPIDLE, std::max(seconds / 2, 1));
    set(IPPROTO_TCP, TCP_KEEPINTVL, std::max(seconds / 6, 1));
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
#endif
#ifdef TCP_USER_TIMEOUT
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, seconds * 1000);
#endif
}

} // namespace brood::detail
