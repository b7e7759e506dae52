// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/access_record.hpp>
#include <brood/http/date.hpp>
#include <brood/http/head.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace brood::http
{
namespace detail
{

// What would end a field of the line early, or begin another line, is shown as "\x22".
inline void append_quoted(std::string& line, std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    for (auto letter : text)
    {
        auto code = static_cast<unsigned char>(letter);
        if (code >= 0x20 && code < 0x7f && letter != '"' && letter != '\\')
            line += letter;
        else
            line.append("\\x").append({digits[code >> 4U], digits[code & 15U]});
    }
}

// "28/Nov/2026:09:41:31 +0000", of "Sat, 28 Nov 2026 09:41:31 GMT".
inline std::string log_date(std::chrono::system_clock::time_point time)
{
    auto date = to_http_date(std::chrono::system_clock::to_time_t(time));
    return date.substr(5, 2) + '/' + date.substr(8, 3) + '/' + date.substr(12, 4) + ':' +
           date.substr(17, 8) + " +0000";
}

} // namespace detail

BROOD_INLINE std::string to_string(const access_record& record)
{
    std::string line(record.client);
    line += " - - [" + detail::log_date(record.began) + "] \"";
    detail::append_quoted(line, record.request.method);
    line += ' ';
    detail::append_quoted(line, record.request.target);
    line += record.request.version >= 11 ? " HTTP/1.1\" " : " HTTP/1.0\" ";
    line += std::to_string(record.status) + ' ' + std::to_string(record.body_size) + " \"";
    detail::append_quoted(line, record.request.headers.find("Referer").value_or("-"));
    line += "\" \"";
    detail::append_quoted(line, record.request.headers.find("User-Agent").value_or("-"));
    auto tenths = (record.time.count() + 50) / 100;
    return line + "\" " + std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

} // namespace brood::http
