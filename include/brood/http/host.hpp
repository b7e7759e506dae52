// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace brood::http
{

/// A host and a port as a Host field, a URL or CONNECT name them; views of the text they stand in.
struct host
{
    std::string_view name; ///< An IPv6 address stands here without its [].
    std::optional<std::uint16_t> port = std::nullopt; ///< Nothing for "name" and for "name:".

    friend bool operator==(const host&, const host&) = default;
};

/// The host and the port of "name", "name:80", "127.0.0.1:80" or "[::1]:80"; nothing for what is no
/// host: RFC 3986 3.2.2, RFC 9110 7.2.
///
/// The name is not looked up, and only checked for its characters: "999.0.0.1" is a name. A port is
/// digits up to 65535, or missing after its colon. Refused are an empty name (RFC 9110 4.2.1), user
/// information, blanks, an IPv6 address without brackets or with a zone, and addresses of versions
/// that are yet to come.
std::optional<host> parse_host(std::string_view text) noexcept;

/// Whether parse_host() finds a host in the text. An empty Host field, which RFC 9110 7.2 allows
/// for a target without authority, is none.
bool is_host(std::string_view text) noexcept;

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/host.ipp>
#endif
