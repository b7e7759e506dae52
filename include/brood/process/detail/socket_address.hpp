// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace brood::detail
{

/// A sockaddr of any family, as the system fills it.
class socket_address
{
public:
    socket_address() = default;

    explicit socket_address(std::string_view bytes)
        : size_(static_cast<socklen_t>(std::min(bytes.size(), sizeof storage_)))
    {
        std::memcpy(&storage_, bytes.data(), size_);
    }

    static socket_address of(int socket)
    {
        socket_address result;
        result.size_ = sizeof result.storage_;
        check(::getsockname(socket, result.data(), &result.size_), "address of a socket");
        return result;
    }

    int family() const noexcept { return storage_.ss_family; }

    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }

    sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage_); }

    socklen_t size() const noexcept { return size_; }

    std::string bytes() const { return {reinterpret_cast<const char*>(&storage_), size_}; }

    /// Whether it is that of all addresses of this machine, IPv4 or IPv6.
    bool is_any() const noexcept
    {
        if (family() == AF_INET)
            return reinterpret_cast<const sockaddr_in&>(storage_).sin_addr.s_addr == INADDR_ANY;
        return family() == AF_INET6 &&
               IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr);
    }

    /// In the byte order of the network; 0 for a local socket.
    in_port_t port() const noexcept
    {
        if (family() == AF_INET)
            return reinterpret_cast<const sockaddr_in&>(storage_).sin_port;
        return family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port
                                    : in_port_t{0};
    }

    /// The file of a local socket; empty for one without, and for other families.
    std::string path() const
    {
        constexpr auto begin = offsetof(sockaddr_un, sun_path);
        if (family() != AF_UNIX || size_ <= begin)
            return {};
        auto& local = reinterpret_cast<const sockaddr_un&>(storage_);
        return {local.sun_path, ::strnlen(local.sun_path, size_ - begin)};
    }

private:
    sockaddr_storage storage_ = {};
    socklen_t size_ = 0;
};

/// "127.0.0.1:8080", "[::]:8080", "/run/server".
inline std::string to_string(const socket_address& address)
{
    char text[INET6_ADDRSTRLEN] = {};
    if (address.family() == AF_INET)
    {
        auto& v4 = *reinterpret_cast<const sockaddr_in*>(address.data());
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return std::string(text) + ':' + std::to_string(ntohs(v4.sin_port));
    }
    if (address.family() == AF_INET6)
    {
        auto& v6 = *reinterpret_cast<const sockaddr_in6*>(address.data());
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        return '[' + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
    }
    return address.path();
}

} // namespace brood::detail
