// SPDX-License-Identifier: BSL-1.0
#pragma once

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

/// Which bytes of a file a request gets.
struct byte_range
{
    enum class extent
    {
        whole,         ///< 200 and all of it.
        part,          ///< 206 and these bytes.
        unsatisfiable, ///< 416 and none: there are no bytes where it asked for some.
    };

    extent what = extent::whole;
    std::uint64_t first = 0; ///< The offset of the first byte.
    std::uint64_t count = 0; ///< How many from there on.

    friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// What a Range field (RFC 9110 14.2) asks of a file of this size: "bytes=0-99", "bytes=100-" or
/// "bytes=-100", the last hundred.
///
/// One range only: several ("bytes=0-1,5-6") get the whole, which RFC 9110 14.2 allows, as does
/// what cannot be understood: another unit, a range that ends before it begins, blanks inside.
/// The end, and a count from the end, may lie beyond the file, by any number of digits. The last
/// bytes of an empty file are the whole of it; "-0" is unsatisfiable, as any first byte at or
/// behind the end is.
inline byte_range parse_byte_range(std::string_view text, std::uint64_t size) noexcept
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

/// Whether a range may be served under its If-Range field (RFC 9110 13.1.5): a strong tag equal to
/// that of the file, or exactly its date. When not, the whole is.
///
/// That a file did not change twice within the second of its date, only the tag can say.
inline bool allows_range(std::string_view if_range, const validators& current)
{
    auto date = parse_http_date(if_range);
    return strongly_equal(if_range, current.etag) || (date && date == current.modified);
}

/// The bytes that a request gets of a file, once evaluate() lets it be served. A method other than
/// GET has no range (RFC 9110 14.2), and without a range If-Range says nothing.
inline byte_range select_range(std::string_view method, std::optional<std::string_view> range,
                               std::optional<std::string_view> if_range, const validators& current,
                               std::uint64_t size)
{
    if (method != "GET" || !range || (if_range && !allows_range(*if_range, current)))
        return {byte_range::extent::whole, 0, size};
    return parse_byte_range(*range, size);
}

/// The Content-Range field (RFC 9110 14.4) of a 206, "bytes 0-99/1000", and of a 416,
/// "bytes */1000". Not for the whole, which has none.
inline std::string content_range(const byte_range& range, std::uint64_t size)
{
    auto of = '/' + std::to_string(size);
    if (range.what != byte_range::extent::part)
        return "bytes *" + of;
    return "bytes " + std::to_string(range.first) + '-' +
           std::to_string(range.first + range.count - 1) + of;
}

} // namespace brood::http
