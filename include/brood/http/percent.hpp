// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>

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

/// The text in which each "%41" is the byte it stands for: RFC 3986 2.1.
///
/// Decoded once: "%2541" gives "%41". Bytes are not checked to be UTF-8. Nothing when a '%' has not
/// two hex digits behind it, and for a NUL, "%00" or bare, which would end a path early where the
/// system reads it.
inline std::optional<std::string> percent_decoded(std::string_view text)
{
    return detail::decoded(text, detail::plus::is_plus);
}

/// The same for a name or value of a query as forms write it, where a '+' is a space:
/// https://url.spec.whatwg.org/#application/x-www-form-urlencoded
inline std::optional<std::string> form_decoded(std::string_view text)
{
    return detail::decoded(text, detail::plus::is_space);
}

/// The text in which all bytes but letters, digits and "-._~" are written as "%2F": RFC 3986 2.3.
///
/// Safe as one piece of a path and as a name or value of a query; of a whole path it would encode
/// the slashes as well. Both forms of decoding give the text back, unless it has a NUL.
inline std::string percent_encoded(std::string_view text)
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
