// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/date.hpp>
#include <brood/http/detail/text.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brood::http
{
namespace detail
{

inline constexpr std::array<std::string_view, 7> day_names{
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
inline constexpr std::array<std::string_view, 12> month_names{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes a date apart from its front; after the first thing that is not as expected, all is wrong.
class date_reader
{
public:
    explicit date_reader(std::string_view text) : rest_(text) {}

    /// Whether all went well to the end of the text.
    bool done() const noexcept { return right_ && rest_.empty(); }

    bool skip(std::string_view literal) noexcept
    {
        auto there = right_ && rest_.starts_with(literal);
        if (there)
            rest_.remove_prefix(literal.size());
        return there;
    }

    void expect(std::string_view literal) noexcept { right_ = skip(literal); }

    /// Exactly so many digits.
    unsigned number(std::size_t width) noexcept
    {
        auto value = digits<unsigned>(rest_.substr(0, width));
        right_ = right_ && value && rest_.size() >= width;
        rest_.remove_prefix(std::min(width, rest_.size()));
        return right_ ? *value : 0;
    }

    /// The month, 1 to 12.
    unsigned month() noexcept
    {
        for (unsigned index = 0; index < month_names.size(); ++index)
            if (skip(month_names[index]))
                return index + 1;
        right_ = false;
        return 0;
    }

    /// The day of the week, whole or its first three letters.
    void weekday(bool whole) noexcept
    {
        right_ = std::any_of(day_names.begin(), day_names.end(),
                             [&](auto name) { return skip(whole ? name : name.substr(0, 3)); });
    }

    std::chrono::seconds time() noexcept
    {
        auto hour = number(2);
        expect(":");
        auto minute = number(2);
        expect(":");
        auto second = number(2);
        // 60 for a leap second, which this count of time does not have.
        right_ = right_ && hour < 24 && minute < 60 && second <= 60;
        return std::chrono::seconds(hour * 3600 + minute * 60 + second);
    }

private:
    std::string_view rest_;
    bool right_ = true;
};

inline std::optional<std::time_t> date_from(const date_reader& read, std::chrono::seconds time,
                                            unsigned year, unsigned month, unsigned day)
{
    std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                     std::chrono::month(month), std::chrono::day(day));
    if (!read.done() || !date.ok())
        return std::nullopt;
    return static_cast<std::time_t>(
        (std::chrono::sys_days(date).time_since_epoch() + time).count());
}

inline unsigned year_of(std::time_t time)
{
    auto days = std::chrono::floor<std::chrono::days>(std::chrono::seconds(time));
    return static_cast<unsigned>(
        static_cast<int>(std::chrono::year_month_day(std::chrono::sys_days(days)).year()));
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
inline std::optional<std::time_t> parse_fixdate(std::string_view text)
{
    date_reader read(text);
    read.weekday(false);
    read.expect(", ");
    auto day = read.number(2);
    read.expect(" ");
    auto month = read.month();
    read.expect(" ");
    auto year = read.number(4);
    read.expect(" ");
    auto time = read.time();
    read.expect(" GMT");
    return date_from(read, time, year, month, day);
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"
inline std::optional<std::time_t> parse_rfc850_date(std::string_view text, std::time_t now)
{
    date_reader read(text);
    read.weekday(true);
    read.expect(", ");
    auto day = read.number(2);
    read.expect("-");
    auto month = read.month();
    read.expect("-");
    auto year = read.number(2);
    read.expect(" ");
    auto time = read.time();
    read.expect(" GMT");
    // The last century in which there is such a day that is not too far ahead.
    auto latest = now + std::chrono::seconds(std::chrono::years(50)).count();
    year += year_of(latest) / 100 * 100;
    for (auto century : {year, year - 100})
        if (auto date = date_from(read, time, century, month, day); date && *date <= latest)
            return date;
    return std::nullopt;
}

/// "Sun Nov  6 08:49:37 1994"
inline std::optional<std::time_t> parse_asctime_date(std::string_view text)
{
    date_reader read(text);
    read.weekday(false);
    read.expect(" ");
    auto month = read.month();
    read.expect(" ");
    auto day = read.number(read.skip(" ") ? 1 : 2);
    read.expect(" ");
    auto time = read.time();
    read.expect(" ");
    auto year = read.number(4);
    return date_from(read, time, year, month, day);
}

} // namespace detail

BROOD_INLINE void write_http_date(std::time_t time, std::span<char, http_date_size> out)
{
    using std::chrono::seconds, std::chrono::sys_days, std::chrono::sys_seconds, std::chrono::year;
    constexpr sys_seconds first = sys_days(year(0) / 1 / 1);
    constexpr sys_seconds last = sys_days(year(10'000) / 1 / 1) - seconds(1);
    auto moment = std::clamp(sys_seconds(seconds(time)), first, last);
    auto days = std::chrono::floor<std::chrono::days>(moment);
    std::chrono::year_month_day date(days);
    std::chrono::hh_mm_ss clock(moment - days);
    auto to = out.begin();
    auto put = [&](std::string_view text)
    {
        to = std::copy(text.begin(), text.end(), to);
    };
    auto put_number = [&](auto number, int width)
    {
        auto value = static_cast<unsigned>(number);
        for (auto at = to + width; at != to; value /= 10)
            *--at = static_cast<char>('0' + value % 10);
        to += width;
    };
    put(detail::day_names[std::chrono::weekday(days).c_encoding()].substr(0, 3));
    put(", ");
    put_number(static_cast<unsigned>(date.day()), 2);
    put(" ");
    put(detail::month_names[static_cast<unsigned>(date.month()) - 1]);
    put(" ");
    put_number(static_cast<int>(date.year()), 4);
    put(" ");
    put_number(clock.hours().count(), 2);
    put(":");
    put_number(clock.minutes().count(), 2);
    put(":");
    put_number(clock.seconds().count(), 2);
    put(" GMT");
}

BROOD_INLINE std::string to_http_date(std::time_t time)
{
    std::string text(http_date_size, ' ');
    write_http_date(time, std::span<char, http_date_size>(text.data(), http_date_size));
    return text;
}

BROOD_INLINE std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now)
{
    if (auto time = detail::parse_fixdate(text))
        return time;
    if (auto time = detail::parse_asctime_date(text))
        return time;
    return detail::parse_rfc850_date(text, now);
}

} // namespace brood::http
