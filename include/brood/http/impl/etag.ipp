// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/etag.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brood::http
{
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

BROOD_INLINE bool is_etag(std::string_view text) noexcept
{
    return !detail::cut_etag(text).empty() && text.empty();
}

BROOD_INLINE bool strongly_equal(std::string_view one, std::string_view other) noexcept
{
    return one == other && is_etag(one) && !one.starts_with(detail::weak_mark);
}

BROOD_INLINE bool weakly_equal(std::string_view one, std::string_view other) noexcept
{
    return is_etag(one) && is_etag(other) &&
           detail::without_weak_mark(one) == detail::without_weak_mark(other);
}

BROOD_INLINE bool lists_etag(std::string_view list, std::string_view tag,
                             etag_comparison how) noexcept
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

BROOD_INLINE std::string file_etag(std::uint64_t size, std::int64_t modified, std::uint64_t inode)
{
    std::string text;
    text.reserve(3 * 16 + 4);
    auto put = [&text](char before, std::uint64_t number)
    {
        std::array<char, 16> digits;
        auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
        (text += before).append(digits.data(), end);
    };
    put('"', size);
    put('-', static_cast<std::uint64_t>(modified));
    put('-', inode);
    return text += '"';
}

} // namespace brood::http
