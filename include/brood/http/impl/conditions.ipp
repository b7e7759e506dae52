// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/conditions.hpp>
#include <brood/http/date.hpp>
#include <brood/http/detail/text.hpp>
#include <brood/http/etag.hpp>

#include <ctime>
#include <optional>
#include <string_view>

namespace brood::http
{
namespace detail
{

inline bool matches(std::string_view list, const validators& current, etag_comparison how) noexcept
{
    if (trimmed(list) == "*")
        return current.exist();
    return lists_etag(list, current.etag, how);
}

/// Whether the resource has changed after a date; nothing when that cannot be said.
inline std::optional<bool> changed_since(std::string_view date, const validators& current)
{
    auto since = parse_http_date(date);
    if (!since || !current.modified)
        return std::nullopt;
    return *current.modified > *since;
}

/// Whether the client has, by If-None-Match or else by If-Modified-Since, what it asks for.
inline bool is_known(const conditions& asked, const validators& current, bool reads)
{
    if (asked.if_none_match)
        return matches(*asked.if_none_match, current, etag_comparison::weak);
    // RFC 9110 13.1.3: a date counts only for those who read.
    return reads && asked.if_modified_since &&
           changed_since(*asked.if_modified_since, current) == false;
}

} // namespace detail

BROOD_INLINE verdict evaluate(std::string_view method, const conditions& asked,
                              const validators& current)
{
    if (method == "CONNECT" || method == "OPTIONS" || method == "TRACE")
        return verdict::serve;
    if (asked.if_match)
    {
        if (!detail::matches(*asked.if_match, current, etag_comparison::strong))
            return verdict::precondition_failed;
    }
    else if (asked.if_unmodified_since)
    {
        if (detail::changed_since(*asked.if_unmodified_since, current) == true)
            return verdict::precondition_failed;
    }
    auto reads = method == "GET" || method == "HEAD";
    if (!detail::is_known(asked, current, reads))
        return verdict::serve;
    return reads ? verdict::not_modified : verdict::precondition_failed;
}

} // namespace brood::http
