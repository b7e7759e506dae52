// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/status.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace brood::http
{
namespace detail
{

/// https://www.iana.org/assignments/http-status-codes
inline constexpr std::array reasons{
    std::pair{100U, std::string_view("Continue")},
    std::pair{101U, std::string_view("Switching Protocols")},
    std::pair{102U, std::string_view("Processing")},
    std::pair{103U, std::string_view("Early Hints")},
    std::pair{104U, std::string_view("Upload Resumption Supported")},
    std::pair{200U, std::string_view("OK")},
    std::pair{201U, std::string_view("Created")},
    std::pair{202U, std::string_view("Accepted")},
    std::pair{203U, std::string_view("Non-Authoritative Information")},
    std::pair{204U, std::string_view("No Content")},
    std::pair{205U, std::string_view("Reset Content")},
    std::pair{206U, std::string_view("Partial Content")},
    std::pair{207U, std::string_view("Multi-Status")},
    std::pair{208U, std::string_view("Already Reported")},
    std::pair{226U, std::string_view("IM Used")},
    std::pair{300U, std::string_view("Multiple Choices")},
    std::pair{301U, std::string_view("Moved Permanently")},
    std::pair{302U, std::string_view("Found")},
    std::pair{303U, std::string_view("See Other")},
    std::pair{304U, std::string_view("Not Modified")},
    std::pair{305U, std::string_view("Use Proxy")},
    std::pair{307U, std::string_view("Temporary Redirect")},
    std::pair{308U, std::string_view("Permanent Redirect")},
    std::pair{400U, std::string_view("Bad Request")},
    std::pair{401U, std::string_view("Unauthorized")},
    std::pair{402U, std::string_view("Payment Required")},
    std::pair{403U, std::string_view("Forbidden")},
    std::pair{404U, std::string_view("Not Found")},
    std::pair{405U, std::string_view("Method Not Allowed")},
    std::pair{406U, std::string_view("Not Acceptable")},
    std::pair{407U, std::string_view("Proxy Authentication Required")},
    std::pair{408U, std::string_view("Request Timeout")},
    std::pair{409U, std::string_view("Conflict")},
    std::pair{410U, std::string_view("Gone")},
    std::pair{411U, std::string_view("Length Required")},
    std::pair{412U, std::string_view("Precondition Failed")},
    std::pair{413U, std::string_view("Content Too Large")},
    std::pair{414U, std::string_view("URI Too Long")},
    std::pair{415U, std::string_view("Unsupported Media Type")},
    std::pair{416U, std::string_view("Range Not Satisfiable")},
    std::pair{417U, std::string_view("Expectation Failed")},
    std::pair{418U, std::string_view("I'm a Teapot")},
    std::pair{421U, std::string_view("Misdirected Request")},
    std::pair{422U, std::string_view("Unprocessable Content")},
    std::pair{423U, std::string_view("Locked")},
    std::pair{424U, std::string_view("Failed Dependency")},
    std::pair{425U, std::string_view("Too Early")},
    std::pair{426U, std::string_view("Upgrade Required")},
    std::pair{428U, std::string_view("Precondition Required")},
    std::pair{429U, std::string_view("Too Many Requests")},
    std::pair{431U, std::string_view("Request Header Fields Too Large")},
    std::pair{451U, std::string_view("Unavailable For Legal Reasons")},
    std::pair{500U, std::string_view("Internal Server Error")},
    std::pair{501U, std::string_view("Not Implemented")},
    std::pair{502U, std::string_view("Bad Gateway")},
    std::pair{503U, std::string_view("Service Unavailable")},
    std::pair{504U, std::string_view("Gateway Timeout")},
    std::pair{505U, std::string_view("HTTP Version Not Supported")},
    std::pair{506U, std::string_view("Variant Also Negotiates")},
    std::pair{507U, std::string_view("Insufficient Storage")},
    std::pair{508U, std::string_view("Loop Detected")},
    std::pair{510U, std::string_view("Not Extended")},
    std::pair{511U, std::string_view("Network Authentication Required")},
};
static_assert(std::is_sorted(reasons.begin(), reasons.end()), "the codes are searched by halves");

} // namespace detail

BROOD_INLINE std::string_view reason(unsigned status) noexcept
{
    auto found = std::lower_bound(detail::reasons.begin(), detail::reasons.end(), status,
                                  [](auto& known, unsigned code) { return known.first < code; });
    return found != detail::reasons.end() && found->first == status ? found->second : "Unknown";
}

} // namespace brood::http
