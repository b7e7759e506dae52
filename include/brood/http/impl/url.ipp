// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/host.hpp>
#include <brood/http/target.hpp>
#include <brood/http/url.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood::http
{

BROOD_INLINE std::string url::authority() const
{
    auto text = host.find(':') == host.npos ? host : '[' + host + ']';
    return port == 80 ? text : text + ':' + std::to_string(port);
}

BROOD_INLINE std::optional<url> parse_url(std::string_view text)
{
    text = text.substr(0, text.find('#'));
    if (!is_target(text, "GET"))
        return std::nullopt;
    http::target parts(text);
    auto named = parse_host(parts.authority());
    if (!named || !detail::same_ignoring_case(parts.scheme(), "http"))
        return std::nullopt;
    url made;
    made.host = named->name;
    std::transform(made.host.begin(), made.host.end(), made.host.begin(), detail::lower);
    made.port = named->port.value_or(80);
    made.target = parts.raw_path();
    // A '?' with nothing behind it is still part of what was asked for.
    if (auto mark = text.find('?'); mark != text.npos)
        made.target += text.substr(mark);
    return made;
}

} // namespace brood::http
