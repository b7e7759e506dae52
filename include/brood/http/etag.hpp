// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
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

namespace detail
{

constexpr std::string_view weak_mark = "W/";

constexpr std::string_view without_weak_mark(std::string_view tag) noexcept
{
    return tag.substr(tag.starts_with(weak_mark) ? weak_mark.size() : 0);
}

/// Takes the tag with which a text begins off its front; empty when it begins with none.
inline std::string_view cut_etag(std::string_view& rest) noexcept
{
    auto inside = [](char c)
    {
        return c != '"' && (is_visible(c) || static_cast<unsigned char>(c) >= 0x80);
    };
    auto quoted = without_weak_mark(rest);
    if (!quoted.starts_with('"'))
        return {};
    auto end = std::find_if_not(quoted.begin() + 1, quoted.end(), inside);
    if (end == quoted.end() || *end != '"')
        return {};
    auto tag = rest.substr(0, static_cast<std::size_t>(&*end + 1 - rest.data()));
    rest.remove_prefix(tag.size());
    return tag;
}

} // namespace detail

/// Whether a text is an entity tag, "\"abc\"" or "W/\"abc\"": RFC 9110 8.8.3.
inline bool is_etag(std::string_view text) noexcept
{
    return !detail::cut_etag(text).empty() && text.empty();
}

/// Whether both are the same strong tag: RFC 9110 8.8.3.2. What is no tag equals nothing.
inline bool strongly_equal(std::string_view one, std::string_view other) noexcept
{
    return one == other && is_etag(one) && !one.starts_with(detail::weak_mark);
}

/// Whether both are the same tag, weak or not: RFC 9110 8.8.3.2. What is no tag equals nothing.
inline bool weakly_equal(std::string_view one, std::string_view other) noexcept
{
    return is_etag(one) && is_etag(other) &&
           detail::without_weak_mark(one) == detail::without_weak_mark(other);
}

/// Whether a list of tags, as If-Match and If-None-Match have it, has this one: RFC 9110 13.1.1.
///
/// Empty elements are skipped. The list ends at the first thing in it that is no tag, "*" among
/// them: what stands behind that is in no list. So a wrong list never makes a file overwritten
/// and never makes a client keep what it has, unless a tag before that says so.
inline bool lists_etag(std::string_view list, std::string_view tag, etag_comparison how) noexcept
{
    auto equal = how == etag_comparison::strong ? strongly_equal : weakly_equal;
    for (list = detail::trimmed(list); !list.empty(); list = detail::trimmed(list))
    {
        auto listed = detail::cut_etag(list);
        list = detail::trimmed(list);
        if (!list.empty() && !list.starts_with(','))
            return false;
        if (equal(listed, tag))
            return true;
        list.remove_prefix(list.empty() ? 0 : 1);
    }
    return false;
}

/// A strong tag for what a file of this size, time of modification in nanoseconds, and inode holds.
///
/// As strong as the clock of the file system: two changes that keep the size within one tick of it,
/// a few milliseconds on Linux, have the same tag. Replacing a file by another one gives another
/// tag, even with the time of the old one.
inline std::string file_etag(std::uint64_t size, std::int64_t modified, std::uint64_t inode)
{
    std::array<char, 3 * 16 + 4> text;
    auto to = text.data();
    auto put = [&](char before, std::uint64_t number)
    {
        *to++ = before;
        to = std::to_chars(to, text.data() + text.size(), number, 16).ptr;
    };
    put('"', size);
    put('-', static_cast<std::uint64_t>(modified));
    put('-', inode);
    *to++ = '"';
    return {text.data(), to};
}

} // namespace brood::http
