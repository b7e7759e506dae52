// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/host.hpp>
#include <brood/http/percent.hpp>
#include <brood/http/target.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::http
{

BROOD_INLINE target::target(std::string_view text) noexcept
{
    constexpr std::string_view after_scheme = "://";
    if (text == "*")
    {
        form_ = target_form::asterisk;
        path_ = text;
        return;
    }
    if (!text.starts_with('/'))
    {
        // The scheme has no slash, so that a URL inside of a query is none.
        auto slash = text.find('/');
        auto colon = slash == 0 || slash == text.npos ? text.npos : slash - 1;
        if (colon == text.npos || text.substr(colon, after_scheme.size()) != after_scheme ||
            text.find_first_of("?#") < colon)
        {
            form_ = target_form::authority;
            authority_ = text;
            return;
        }
        form_ = target_form::absolute;
        scheme_ = text.substr(0, colon);
        text.remove_prefix(colon + after_scheme.size());
        authority_ = text.substr(0, text.find_first_of("/?"));
        text.remove_prefix(authority_.size());
    }
    path_ = detail::cut(text, '?');
    query_ = text;
    if (path_.empty())
        path_ = "/";
}

BROOD_INLINE std::optional<std::string> target::path() const
{
    return percent_decoded(path_);
}

BROOD_INLINE std::optional<query_pairs> target::query() const
{
    query_pairs pairs;
    for (auto rest = query_; !rest.empty();)
    {
        auto piece = detail::cut(rest, '&');
        if (piece.empty())
            continue;
        auto name = form_decoded(detail::cut(piece, '='));
        auto value = form_decoded(piece);
        if (!name || !value)
            return std::nullopt;
        pairs.emplace_back(std::move(*name), std::move(*value));
    }
    return pairs;
}

BROOD_INLINE std::optional<std::string> target::query(std::string_view name) const
{
    for (auto rest = query_; !rest.empty();)
    {
        auto piece = detail::cut(rest, '&');
        if (!piece.empty() && form_decoded(detail::cut(piece, '=')) == name)
            return form_decoded(piece);
    }
    return std::nullopt;
}

BROOD_INLINE bool is_target(std::string_view text, std::string_view method) noexcept
{
    if (!std::all_of(text.begin(), text.end(),
                     [](char c) { return detail::is_visible(c) && c != '#'; }))
        return false;
    target parts(text);
    switch (parts.form())
    {
    case target_form::origin:
        return method != "CONNECT";
    case target_form::absolute:
        return method != "CONNECT" && is_host(parts.authority()) &&
               (detail::same_ignoring_case(parts.scheme(), "http") ||
                detail::same_ignoring_case(parts.scheme(), "https"));
    case target_form::asterisk:
        return method == "OPTIONS";
    case target_form::authority:
        break;
    }
    auto named = parse_host(parts.authority());
    return method == "CONNECT" && named && named->port;
}

} // namespace brood::http
