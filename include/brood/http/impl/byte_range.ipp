// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/byte_range.hpp>
#include <brood/http/conditions.hpp>
#include <brood/http/date.hpp>
#include <brood/http/detail/text.hpp>
#include <brood/http/etag.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood::http
{

BROOD_INLINE byte_range parse_byte_range(std::string_view text, std::uint64_t size) noexcept
{
    using extent = byte_range::extent;
    byte_range whole{extent::whole, 0, size};
    byte_range unsatisfiable{extent::unsatisfiable, 0, 0};
    auto ends = detail::trimmed(text);
    auto unit = detail::cut(ends, '=');
    auto dash = ends.find('-');
    if (!detail::same_ignoring_case(unit, "bytes") || dash == ends.npos)
        return whole;
    auto first = detail::digits<std::uint64_t>(ends.substr(0, dash));
    auto last = detail::digits<std::uint64_t>(ends.substr(dash + 1));
    auto open = dash + 1 == ends.size();
    if (dash == 0)
    {
        if (!last)
            return whole;
        if (*last == 0)
            return unsatisfiable;
        auto count = std::min(*last, size);
        return size == 0 ? whole : byte_range{extent::part, size - count, count};
    }
    if (!first || (!last && !open) || (last && *last < *first))
        return whole;
    if (*first >= size)
        return unsatisfiable;
    auto end = last ? std::min(*last, size - 1) : size - 1;
    return {extent::part, *first, end - *first + 1};
}

BROOD_INLINE bool allows_range(std::string_view if_range, const validators& current)
{
    auto date = parse_http_date(if_range);
    return strongly_equal(if_range, current.etag) || (date && date == current.modified);
}

BROOD_INLINE byte_range select_range(std::string_view method, std::optional<std::string_view> range,
                                     std::optional<std::string_view> if_range,
                                     const validators& current, std::uint64_t size)
{
    if (method != "GET" || !range || (if_range && !allows_range(*if_range, current)))
        return {byte_range::extent::whole, 0, size};
    return parse_byte_range(*range, size);
}

BROOD_INLINE std::string content_range(const byte_range& range, std::uint64_t size)
{
    auto of = '/' + std::to_string(size);
    if (range.what != byte_range::extent::part)
        return "bytes *" + of;
    return "bytes " + std::to_string(range.first) + '-' +
           std::to_string(range.first + range.count - 1) + of;
}

} // namespace brood::http
