// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/percent.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brood::http
{
namespace detail
{

/// What decoding makes of a '+'.
enum class plus
{
    is_plus,
    is_space,
};

inline std::optional<std::string> decoded(std::string_view text, plus what)
{
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at)
    {
        auto c = text[at];
        if (c == '%')
        {
            auto high = at + 2 < text.size() ? hex_value(text[at + 1]) : -1;
            auto low = high >= 0 ? hex_value(text[at + 2]) : -1;
            if (low < 0)
                return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            at += 2;
        }
        else if (c == '+' && what == plus::is_space)
        {
            c = ' ';
        }
        if (c == '\0')
            return std::nullopt;
        plain += c;
    }
    return plain;
}

} // namespace detail

BROOD_INLINE std::optional<std::string> percent_decoded(std::string_view text)
{
    return detail::decoded(text, detail::plus::is_plus);
}

BROOD_INLINE std::optional<std::string> form_decoded(std::string_view text)
{
    return detail::decoded(text, detail::plus::is_space);
}

BROOD_INLINE std::string percent_encoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (auto c : text)
    {
        if (detail::is_unreserved(c))
        {
            encoded += c;
            continue;
        }
        auto byte = static_cast<unsigned char>(c);
        encoded += '%';
        encoded += digits[byte / 16U];
        encoded += digits[byte % 16U];
    }
    return encoded;
}

} // namespace brood::http
