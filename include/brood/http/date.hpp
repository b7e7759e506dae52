// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstddef>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brood::http
{

/// How long a date is in the form that is written, "Sun, 06 Nov 1994 08:49:37 GMT".
inline constexpr std::size_t http_date_size = 29;

/// Writes a time as "Sun, 06 Nov 1994 08:49:37 GMT", the IMF-fixdate of RFC 9110 5.6.7, without
/// allocating. Times before the year 0 or after 9999, which the form cannot say, are written as
/// the first or the last second of those years.
void write_http_date(std::time_t time, std::span<char, http_date_size> out);

/// The same as a string.
std::string to_http_date(std::time_t time);

/// The time that a date says, in any of the three forms that RFC 9110 5.6.7 wants to be read:
/// IMF-fixdate, that of RFC 850 and that of asctime. Nothing for any other text.
///
/// Case counts, and so does every blank. The day of the week is a name of one, not checked against
/// the date. A leap second is the first one of the next minute. The two digits of a year in the
/// form of RFC 850 mean the last such day that is at most 50 years after `now`.
std::optional<std::time_t> parse_http_date(std::string_view text,
                                           std::time_t now = std::time(nullptr));

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/date.ipp>
#endif
