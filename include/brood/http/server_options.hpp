// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/access_record.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>

namespace brood::http
{

class request;
class response;

/// What answers a request. An exception that leaves it becomes a 500, a refusal its own status.
using handler = std::function<task<>(request&, response&)>;

/// How patient a server is, and how much it takes. The defaults are those of Node's http:
/// https://nodejs.org/api/http.html#class-httpserver
///
/// Times are kept to a tenth, and to a second at most; zero turns one off.
struct server_options
{
    server_options() = default; // no aggregate: g++ 12 destroys those twice in an await

    /// From the first byte of a request, or from the connection for its first request, to the end
    /// of its head: then 408.
    std::chrono::milliseconds headers_timeout{60'000};

    /// From the first byte of a request to the end of its body: then 408.
    std::chrono::milliseconds request_timeout{300'000};

    /// How long a connection is kept for another request; a response says so, in whole seconds:
    /// `Keep-Alive: timeout=5`. One that comes later finds the connection closed.
    std::chrono::milliseconds keep_alive_timeout{5'000};

    /// How long a client may take to make room for more of a response; zero for any time.
    std::chrono::milliseconds write_timeout{0};

    /// A connection that ends while its client still sends: what comes is thrown away, so that the
    /// client reads the answer before it is reset (RFC 9112, 9.6), until it has sent nothing for so
    /// long. As lingering_timeout of nginx.
    std::chrono::milliseconds linger_timeout{5'000};

    /// And that for so long in all, whatever comes, but for 2 s at most once the server closes;
    /// zero for not at all.
    std::chrono::milliseconds linger_time{30'000};

    /// Bytes of a head, and of the fields behind a body: then 431.
    std::size_t max_header_size = 16'384;

    /// Fields of a head: then 431.
    std::size_t max_header_count = 2'000;

    /// Bytes of a body: then 413. Zero for any, as request::body() has a limit of its own.
    std::uint64_t max_body = 0;

    /// Requests on one connection, of which `Keep-Alive: max=` tells the rest; the last is answered
    /// with `Connection: close`, what came behind it with 503. Zero for any.
    std::size_t max_requests_per_connection = 0;

    /// Connections at once; one more is answered with 503. Zero for any.
    std::size_t max_connections = 0;

    /// Called behind each request that was answered, for a log; see access_record. It must not
    /// throw.
    std::function<void(const access_record&)> on_request;

    /// Called when an exception left the handler, which became a 500 or cut the response off;
    /// without one it is printed to stderr. It must not throw. Not for refusals, nor for clients
    /// that went away.
    std::function<void(const request&, std::exception_ptr)> on_error;
};

} // namespace brood::http
