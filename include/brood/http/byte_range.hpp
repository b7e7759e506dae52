// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/conditions.hpp>

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
byte_range parse_byte_range(std::string_view text, std::uint64_t size) noexcept;

/// Whether a range may be served under its If-Range field (RFC 9110 13.1.5): a strong tag equal to
/// that of the file, or exactly its date. When not, the whole is.
///
/// That a file did not change twice within the second of its date, only the tag can say.
bool allows_range(std::string_view if_range, const validators& current);

/// The bytes that a request gets of a file, once evaluate() lets it be served. A method other than
/// GET has no range (RFC 9110 14.2), and without a range If-Range says nothing.
byte_range select_range(std::string_view method, std::optional<std::string_view> range,
                        std::optional<std::string_view> if_range, const validators& current,
                        std::uint64_t size);

/// The Content-Range field (RFC 9110 14.4) of a 206, "bytes 0-99/1000", and of a 416,
/// "bytes */1000". Not for the whole, which has none.
std::string content_range(const byte_range& range, std::uint64_t size);

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/byte_range.ipp>
#endif
