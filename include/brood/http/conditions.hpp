// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/date.hpp>
#include <brood/http/detail/text.hpp>
#include <brood/http/etag.hpp>

#include <ctime>
#include <optional>
#include <string_view>

namespace brood::http
{

/// What tells one state of a resource from another; a view of the texts it was made from. With
/// neither of them the resource has no representation yet.
struct validators
{
    std::string_view etag;               ///< As the ETag field has it; empty for none.
    std::optional<std::time_t> modified; ///< As the Last-Modified field has it.

    bool exist() const noexcept { return !etag.empty() || modified; }
};

/// The fields by which a client says what it has already: RFC 9110 13.1. A field that came more
/// than once is one whose values are joined by ", ".
struct conditions
{
    std::optional<std::string_view> if_match;
    std::optional<std::string_view> if_none_match;
    std::optional<std::string_view> if_modified_since;
    std::optional<std::string_view> if_unmodified_since;
};

/// What a request with conditions gets.
enum class verdict
{
    serve,               ///< What it would get without them.
    not_modified,        ///< 304, without a body.
    precondition_failed, ///< 412, and nothing was done.
};

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

/// Decides about a request's conditions in the order of RFC 9110 13.2.2: If-Match, or else
/// If-Unmodified-Since; then If-None-Match, or else If-Modified-Since. If-Range comes after that.
///
/// To be asked before anything is done, and only when the answer without conditions would be a
/// success (13.2.1). If-Match compares strongly, If-None-Match weakly; "*" is any representation.
/// Dates that are none, or are for a resource without one, are no condition. A method that selects
/// no representation (CONNECT, OPTIONS, TRACE) has no conditions. Methods count in upper case.
inline verdict evaluate(std::string_view method, const conditions& asked, const validators& current)
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
