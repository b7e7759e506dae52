// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <cstddef>
#include <optional>

#ifdef __linux__
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#endif

namespace brood::detail
{

/// The backlog of a listening socket.
struct accept_queue
{
    std::size_t waiting = 0; ///< Connections that nobody has accepted yet.
    std::size_t room = 0;    ///< So many can wait.
};

#ifdef __linux__

/// Nothing for a socket that is not TCP. A listening one uses the fields of others for its queue:
/// tcpi_unacked and tcpi_sacked, as in tcp_get_info() of Linux, and as gunicorn reads them.
inline std::optional<accept_queue> accept_queue_of(const descriptor& listening)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(listening.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return std::nullopt;
    return accept_queue{info.tcpi_unacked, info.tcpi_sacked};
}

#else

/// Other systems do not tell.
inline std::optional<accept_queue> accept_queue_of(const descriptor&)
{
    return std::nullopt;
}

#endif

} // namespace brood::detail
