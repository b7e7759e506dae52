// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

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

/// Decides about a request's conditions in the order of RFC 9110 13.2.2: If-Match, or else
/// If-Unmodified-Since; then If-None-Match, or else If-Modified-Since. If-Range comes after that.
///
/// To be asked before anything is done, and only when the answer without conditions would be a
/// success (13.2.1). If-Match compares strongly, If-None-Match weakly; "*" is any representation.
/// Dates that are none, or are for a resource without one, are no condition. A method that selects
/// no representation (CONNECT, OPTIONS, TRACE) has no conditions. Methods count in upper case.
verdict evaluate(std::string_view method, const conditions& asked, const validators& current);

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/conditions.ipp>
#endif
