// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <sys/socket.h>
#include <utility>

namespace brood::detail
{

/// Two local stream sockets that are connected, close-on-exec, and without SIGPIPE where sockets
/// say so.
inline std::pair<descriptor, descriptor> local_pair()
{
    int ends[2];
#ifdef SOCK_CLOEXEC
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
#else
    check(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
    for (auto end : ends)
        ::fcntl(end, F_SETFD, FD_CLOEXEC);
#endif
#ifdef SO_NOSIGPIPE
    int on = 1;
    for (auto end : ends)
        ::setsockopt(end, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    // A sender that found its buffer full is woken when three quarters of it have been read: with
    // the usual 208 KiB the two sides of a large message take turns instead of working at once. The
    // kernel cuts this to what it allows, net.core.wmem_max (man 7 socket).
    int room = 512 << 10;
    for (auto end : ends)
        ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    return {descriptor(ends[0]), descriptor(ends[1])};
}

} // namespace brood::detail
