// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace brood::http
{

/// How patient a client is, how much it takes, and what it keeps. A time of zero is no limit.
///
/// What takes too long throws errc::timed_out, which names the URL and the step.
struct client_options
{
    client_options() = default; // no aggregate: g++ 12 destroys those twice in an await

    /// To look up the name and to connect; an address that does not answer leaves the next ones
    /// their share.
    std::chrono::milliseconds connect_timeout{10'000};

    /// From the last byte that was sent to the head of the response.
    std::chrono::milliseconds response_timeout{60'000};

    /// Between two pieces of a body: for the server to send one, or to make room for one.
    std::chrono::milliseconds idle_timeout{60'000};

    /// From the start of a request to the last byte of its response.
    std::chrono::milliseconds total_timeout{0};

    /// How long a connection is kept for the next request; less when the server says so
    /// (Keep-Alive). The default is below the 5 s of Node's servers and ours. No timer runs for it:
    /// a connection that is too old is closed when the client is used next.
    std::chrono::milliseconds keep_alive_timeout{4'000};

    /// Connections that are kept for each host and port, or local socket; zero keeps none.
    std::size_t max_idle_per_host = 16;

    /// Bytes of the head of a response, and of the fields behind its body: then errc::too_large.
    std::size_t max_header_size = 16'384;

    /// Fields of a head: then errc::too_large.
    std::size_t max_header_count = 2'000;

    /// Bytes of the body of a response: then errc::too_large. Zero for any when it is read in
    /// pieces, and for 1 MiB when it is read as a whole.
    std::uint64_t max_body = 0;
};

} // namespace brood::http
