// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/host.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string_view>

namespace brood::http
{
namespace detail
{

/// A name or an IPv4 address: reg-name of RFC 3986 3.2.2, of which the address is a special case.
inline bool is_registered_name(std::string_view text) noexcept
{
    constexpr std::string_view delimiters = "!$&'()*+,;=";
    for (std::size_t at = 0; at < text.size(); ++at)
    {
        auto c = text[at];
        if (c == '%')
        {
            if (at + 2 >= text.size() || hex_value(text[at + 1]) < 0 || hex_value(text[at + 2]) < 0)
                return false;
            at += 2;
        }
        else if (!is_unreserved(c) && delimiters.find(c) == std::string_view::npos)
        {
            return false;
        }
    }
    return !text.empty();
}

inline bool is_ipv6(std::string_view text) noexcept
{
    // What inet_pton reads ends with a NUL, which the text must not have inside.
    auto allowed = [](char c)
    {
        return hex_value(c) >= 0 || c == ':' || c == '.';
    };
    std::array<char, INET6_ADDRSTRLEN> copy{};
    if (text.size() >= copy.size() || !std::all_of(text.begin(), text.end(), allowed))
        return false;
    std::copy(text.begin(), text.end(), copy.begin());
    in6_addr address{};
    return ::inet_pton(AF_INET6, copy.data(), &address) == 1;
}

} // namespace detail

BROOD_INLINE std::optional<host> parse_host(std::string_view text) noexcept
{
    auto rest = text;
    auto literal = rest.starts_with('[');
    auto name = detail::cut(rest, literal ? ']' : ':');
    if (literal)
    {
        name.remove_prefix(1);
        auto closed = text.size() > name.size() + 1;
        if (!closed || !(rest.empty() || rest.front() == ':') || !detail::is_ipv6(name))
            return std::nullopt;
        rest.remove_prefix(rest.empty() ? 0 : 1);
    }
    else if (!detail::is_registered_name(name))
    {
        return std::nullopt;
    }
    if (rest.empty())
        return host{name};
    auto port = detail::digits<std::uint32_t>(rest);
    if (!port || *port > 65535)
        return std::nullopt;
    return host{name, static_cast<std::uint16_t>(*port)};
}

BROOD_INLINE bool is_host(std::string_view text) noexcept
{
    return parse_host(text).has_value();
}

} // namespace brood::http
