// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace brood::http
{

/// How two tags are compared: RFC 9110 8.8.3.2.
enum class etag_comparison
{
    strong, ///< The same bytes: both tags are strong and equal.
    weak,   ///< As good as the same: equal, whether either is weak or not.
};

/// Whether a text is an entity tag, "\"abc\"" or "W/\"abc\"": RFC 9110 8.8.3.
bool is_etag(std::string_view text) noexcept;

/// Whether both are the same strong tag: RFC 9110 8.8.3.2. What is no tag equals nothing.
bool strongly_equal(std::string_view one, std::string_view other) noexcept;

/// Whether both are the same tag, weak or not: RFC 9110 8.8.3.2. What is no tag equals nothing.
bool weakly_equal(std::string_view one, std::string_view other) noexcept;

/// Whether a list of tags, as If-Match and If-None-Match have it, has this one: RFC 9110 13.1.1.
///
/// Empty elements are skipped. The list ends at the first thing in it that is no tag, "*" among
/// them: what stands behind that is in no list. So a wrong list never makes a file overwritten
/// and never makes a client keep what it has, unless a tag before that says so.
bool lists_etag(std::string_view list, std::string_view tag, etag_comparison how) noexcept;

/// A strong tag for what a file of this size, time of modification in nanoseconds, and inode holds.
///
/// As strong as the clock of the file system: two changes that keep the size within one tick of it,
/// a few milliseconds on Linux, have the same tag. Replacing a file by another one gives another
/// tag, even with the time of the old one.
std::string file_etag(std::uint64_t size, std::int64_t modified, std::uint64_t inode);

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/etag.ipp>
#endif
