// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/internal/destination.hpp>
#include <brood/http/target.hpp>
#include <brood/http/url.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace brood::http::detail
{

/// "unix:/run/app.sock:/path?query": a local socket, and what to ask there.
inline std::optional<destination> local_destination(std::string_view text)
{
    constexpr std::string_view scheme = "unix:";
    text = text.substr(0, text.find('#'));
    if (!same_ignoring_case(text.substr(0, scheme.size()), scheme))
        return std::nullopt;
    text.remove_prefix(scheme.size());
    auto colon = text.find(":/");
    destination found;
    found.path = text.substr(0, colon);
    found.authority = "localhost";
    found.target = colon == text.npos ? std::string_view("/") : text.substr(colon + 1);
    if (found.path.empty() || !is_target(found.target, "GET"))
        return std::nullopt;
    return found;
}

/// Throws std::invalid_argument for what is no URL of a client.
inline destination find_destination(std::string_view text)
{
    constexpr std::string_view secure = "https:";
    if (auto local = local_destination(text))
        return *local;
    if (auto parsed = parse_url(text))
        return {"", parsed->host, parsed->port, parsed->authority(), parsed->target};
    if (same_ignoring_case(text.substr(0, secure.size()), secure))
        throw std::invalid_argument(
            "brood: http: " + std::string(text) +
            ": this client has no TLS; ask a proxy beside it that has, by http or a local socket");
    throw std::invalid_argument("brood: http: not http://host:port/path, nor "
                                "unix:/path/of/socket:/path: " +
                                std::string(text));
}

} // namespace brood::http::detail
