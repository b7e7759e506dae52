// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

// The characters of RFC 3986 and RFC 9110 and what is done with them, without a locale.

namespace brood::http::detail
{

constexpr bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// What a hex digit is worth, -1 for another character.
constexpr int hex_value(char c) noexcept
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Neither blank nor control character nor beyond ASCII.
constexpr bool is_visible(char c) noexcept
{
    return c > ' ' && c < '\x7f';
}

/// What a URI never encodes: RFC 3986 2.3.
constexpr bool is_unreserved(char c) noexcept
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

constexpr char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool same_ignoring_case(std::string_view left, std::string_view right) noexcept
{
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char one, char other) { return lower(one) == lower(other); });
}

/// Without the blanks around it that a list or a field value may have: OWS of RFC 9110 5.6.3.
constexpr std::string_view trimmed(std::string_view text) noexcept
{
    constexpr std::string_view blanks = " \t";
    auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Takes what stands before the separator, or all when there is none, off the front of a text.
constexpr std::string_view cut(std::string_view& rest, char separator) noexcept
{
    auto front = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(rest.size(), front.size() + 1));
    return front;
}

/// The number that digits alone are; the greatest one for more than it can hold; nothing for any
/// other text.
template <class Number>
std::optional<Number> digits(std::string_view text) noexcept
{
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
        return std::nullopt;
    Number value{};
    auto [stopped, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc() ? value : std::numeric_limits<Number>::max();
}

} // namespace brood::http::detail
