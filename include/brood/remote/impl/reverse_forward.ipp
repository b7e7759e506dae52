// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/reverse_forward.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace brood
{

BROOD_INLINE std::string to_string(const reverse_forward& way)
{
    // ssh splits at each colon that is not between [].
    auto text =
        way.remote_path.empty() ? "127.0.0.1:" + std::to_string(way.remote_port) : way.remote_path;
    if (!way.local_path.empty())
        return text + ':' + way.local_path;
    auto is_ipv6 = way.local_host.find(':') != std::string::npos;
    text += ':' + (is_ipv6 ? '[' + way.local_host + ']' : way.local_host);
    return text + ':' + std::to_string(way.local_port);
}

BROOD_INLINE std::optional<std::uint16_t> allocated_port(std::string_view text)
{
    constexpr std::string_view words = "Allocated port ";
    auto told = text.find(words);
    auto number = told == text.npos ? text : text.substr(told + words.size());
    std::uint16_t port = 0;
    auto end = number.data() + number.size();
    auto [stop, failed] = std::from_chars(number.data(), end, port);
    if (failed != std::errc() || port == 0 || stop == number.data())
        return std::nullopt;
    // A number alone may be only half of what is still to come, and some text no number at all.
    std::string_view rest(stop, static_cast<std::size_t>(end - stop));
    auto whole = told == text.npos ? rest == "\n" || rest == "\r\n" || rest.empty()
                                   : rest.substr(0, 1) == " ";
    return whole ? std::optional(port) : std::nullopt;
}

} // namespace brood
