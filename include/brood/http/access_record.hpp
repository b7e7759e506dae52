// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/head.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace brood::http
{

/// A request and how it was answered: for server_options::on_request, and valid while that runs.
struct access_record
{
    const request_head& request;
    std::string_view client;           ///< Its address: "192.0.2.7"; "-" for a local socket.
    unsigned status = 0;               ///< Of the response.
    std::uint64_t body_size = 0;       ///< Bytes of the response behind its head.
    std::chrono::microseconds time{0}; ///< From its first byte to the end of the response.
    std::chrono::system_clock::time_point began{}; ///< When its first byte was there.
};

/// A line for a log, as most programs that read logs know it (the combined format of Apache and
/// nginx, times in UTC), and the milliseconds it took behind that:
/// `192.0.2.7 - - [28/Nov/2026:09:41:31 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8" 0.3`
std::string to_string(const access_record& record);

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/access_record.ipp>
#endif
