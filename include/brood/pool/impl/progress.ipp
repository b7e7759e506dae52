// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/progress.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace brood
{
namespace detail
{

// "42", "9.5", "120", "1.2M": three figures are enough to see what moves.
inline std::string short_number(double number)
{
    static constexpr const char* units[] = {"", "k", "M", "G", "T"};
    std::size_t unit = 0;
    for (; number >= 9999.5 && unit + 1 < std::size(units); ++unit)
        number /= 1000;
    char text[32];
    std::snprintf(text, sizeof text, number < 9.95 ? "%.1f%s" : "%.0f%s", number, units[unit]);
    return text;
}

inline std::string short_time(std::chrono::steady_clock::duration time)
{
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    auto text = [](auto first, const char* unit, auto second, const char* small)
    {
        return std::to_string(first) + unit + std::to_string(second) + small;
    };
    if (seconds < 60)
        return std::to_string(seconds) + " s";
    if (seconds < 3600)
        return text(seconds / 60, " min ", seconds % 60, " s");
    if (seconds < 100 * 3600)
        return text(seconds / 3600, " h ", seconds / 60 % 60, " min");
    return text(seconds / 86400, " d ", seconds / 3600 % 24, " h");
}

inline std::string drawn_bar(double part, std::size_t width)
{
    auto full = static_cast<std::size_t>(part * static_cast<double>(width));
    return std::string(full, '#') + std::string(width - full, '-');
}

// What a line says, the most important first.
inline std::vector<std::string> parts_of_line(const progress& from)
{
    std::vector<std::string> parts;
    auto ended = std::to_string(from.ended());
    if (auto part = from.part())
    {
        char text[16];
        std::snprintf(text, sizeof text, "%3.0f %%", std::floor(*part * 100));
        parts.push_back(std::string(text) + "  " + ended + "/" + std::to_string(*from.total));
    }
    else
    {
        parts.push_back(ended + " done");
    }
    if (from.failed != 0)
        parts.push_back(std::to_string(from.failed) + " failed");
    if (from.ended() != 0)
        parts.push_back(short_number(from.rate) + "/s");
    if (auto left = from.time_left(); left && from.total && from.ended() < *from.total)
        parts.push_back(short_time(*left) + " left");
    if (from.retried != 0)
        parts.push_back(std::to_string(from.retried) + " retried");
    return parts;
}

} // namespace detail

BROOD_INLINE std::optional<std::chrono::steady_clock::duration> progress::time_left() const
{
    using seconds = std::chrono::duration<double>;
    if (!total || rate <= 0)
        return std::nullopt;
    auto left = static_cast<double>(*total - std::min(*total, ended()));
    // More than a century is nothing that anybody waits for, and would not fit.
    auto time = seconds(std::min(left / rate, 3e9));
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
}

BROOD_INLINE std::optional<double> progress::part() const
{
    if (!total)
        return std::nullopt;
    if (*total == 0)
        return 1.0;
    return std::min(1.0, static_cast<double>(ended()) / static_cast<double>(*total));
}

BROOD_INLINE std::string to_line(const progress& from, std::size_t columns)
{
    constexpr std::size_t widest_bar = 30, narrowest_bar = 5;
    std::string line;
    for (auto& part : detail::parts_of_line(from))
    {
        auto between = line.empty() ? 0U : 2U;
        if (line.size() + between + part.size() > columns)
            break;
        line.append(between != 0 ? ", " : "").append(part);
    }
    auto part = from.part();
    if (part && line.size() + 2 + narrowest_bar <= columns)
    {
        auto width = std::min(widest_bar, columns - line.size() - 2);
        line.insert(0, detail::drawn_bar(*part, width) + "  ");
    }
    return line;
}

} // namespace brood
