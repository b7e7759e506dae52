// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood::http
{

/// Where a client sends a request, and for what.
struct url
{
    std::string scheme = "http";
    std::string host;         ///< In lower case; an IPv6 address without its [].
    std::uint16_t port = 80;  ///< To connect to.
    std::string target = "/"; ///< The path and the query, as the request names them.

    /// What the Host field says: the host, IPv6 in [], and the port unless it is 80 (RFC 9110 7.2).
    std::string authority() const;

    friend bool operator==(const url&, const url&) = default;
};

/// "http://host:port/path?query" as its parts: RFC 9110 4.2.1.
///
/// Without a port 80, without a path "/". A fragment is left out. Nothing for another scheme, https
/// as well, for a host that is_host() refuses, for user information (RFC 9110 4.2.4), and when the
/// rest has a character that a target must not have: what is not visible ASCII is to be encoded
/// by whoever writes the URL.
std::optional<url> parse_url(std::string_view text);

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/url.ipp>
#endif
