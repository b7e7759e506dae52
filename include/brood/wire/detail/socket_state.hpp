// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/detail/pass_descriptors.hpp>
#include <brood/wire/internal/cipher.hpp>

#include <algorithm>
#include <cstddef>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// What the kernel says about a socket, without waiting. A number that is none of an open socket has
// nothing left and is at its end.

namespace brood::detail
{

/// How many bytes can be read, at most, although the socket has none: what was read ahead.
inline std::size_t held_by(const cipher* through) noexcept
{
    return through != nullptr ? through->held() : 0;
}

/// How many bytes can be read at once, at most.
inline std::size_t bytes_left(int socket, const cipher* through)
{
    int left = 0;
    ::ioctl(socket, FIONREAD, &left);
    return static_cast<std::size_t>(std::max(left, 0)) + held_by(through);
}

/// Whether the next read says that no more will come.
inline bool is_at_end(int socket)
{
    std::byte next{};
    return is_end(::recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT));
}

/// Whether the other side has closed both directions.
inline bool has_hung_up(int socket)
{
    pollfd state{socket, 0, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

} // namespace brood::detail
