// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/remote/detail/far_address.hpp>

#include <charconv>
#include <cstdint>
#include <netdb.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace brood::detail
{

/// Where workers that come by themselves and their primary meet: "tcp://head:7000", or "tls://".
struct meeting_place
{
    std::string host;
    std::uint16_t port = 0;
    bool encrypted = false;

    friend bool operator==(const meeting_place&, const meeting_place&) = default;
};

inline std::string to_string(const meeting_place& of)
{
    auto host = of.host.find(':') == of.host.npos ? of.host : '[' + of.host + ']';
    return (of.encrypted ? "tls://" : "tcp://") + host + ':' + std::to_string(of.port);
}

/// Reads one; nothing for what is none.
inline std::optional<meeting_place> read_place(std::string_view text)
{
    constexpr std::string_view scheme = "tcp://", encrypted = "tls://";
    auto is_encrypted = text.starts_with(encrypted);
    if (!is_encrypted && !text.starts_with(scheme))
        return std::nullopt;
    text.remove_prefix(scheme.size());
    auto colon = text.rfind(':');
    if (colon == text.npos || colon == 0)
        return std::nullopt;
    auto host = text.substr(0, colon), port = text.substr(colon + 1);
    auto is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (is_bracketed)
        host = host.substr(1, host.size() - 2);
    if (!is_bracketed && host.find(':') != host.npos)
        return std::nullopt;
    meeting_place result{std::string(host), 0, is_encrypted};
    auto read = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (port.empty() || read.ec != std::errc() || read.ptr != port.data() + port.size())
        return std::nullopt;
    return result;
}

/// What its name stands for. Throws std::runtime_error when nobody knows it.
inline std::vector<far_address> addresses_of(const meeting_place& place)
{
    addrinfo wanted = {}, *found = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    auto port = std::to_string(place.port);
    auto reason = ::getaddrinfo(place.host.c_str(), port.c_str(), &wanted, &found);
    if (reason != 0)
        throw std::runtime_error("brood: the name of " + to_string(place) +
                                 " leads nowhere: " + ::gai_strerror(reason));
    std::vector<far_address> result;
    for (auto each = found; each != nullptr; each = each->ai_next)
    {
        far_address one;
        std::memcpy(&one.bytes, each->ai_addr, each->ai_addrlen);
        one.size = each->ai_addrlen;
        result.push_back(one);
    }
    ::freeaddrinfo(found);
    return result;
}

/// Sockets that listen there, on all addresses of that name. Throws std::system_error.
inline std::vector<descriptor> listen_at(const meeting_place& place)
{
    std::vector<descriptor> result;
    auto text = to_string(place);
    for (auto& each : addresses_of(place))
    {
        descriptor socket(::socket(each.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        check(socket.get(), "wait for workers at", text);
        int on = 1;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        check(::bind(socket.get(), each.get(), each.size), "wait for workers at", text);
        check(::listen(socket.get(), 128), "wait for workers at", text);
        result.push_back(std::move(socket));
    }
    return result;
}

/// Where a socket listens.
inline meeting_place place_of(const descriptor& socket)
{
    far_address address;
    address.size = sizeof address.bytes;
    check(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.bytes), &address.size),
          "look at a socket");
    return {host_of(address.bytes), port_of(address.bytes), false};
}

} // namespace brood::detail
