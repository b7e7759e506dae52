// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <sys/socket.h>
#include <sys/types.h>

namespace brood
{

/// How a socket listens. In a cluster, what the first worker asks for is what all of them get.
struct listen_options
{
    /// Connections that wait to be accepted, at most; the kernel cuts it to net.core.somaxconn.
    int backlog = SOMAXCONN;

    /// An IPv6 socket that leaves the port free for IPv4.
    bool v6_only = false;

    /// Several sockets may be bound to the address, in this process and in others of the same user;
    /// the kernel spreads clients over them. In a cluster the worker then binds one of its own
    /// (SO_REUSEPORT in socket(7)).
    bool reuse_port = false;

    /// Who may connect to a local socket, as for chmod(2); 0 for what the umask leaves.
    mode_t mode = 0;
};

} // namespace brood
