// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <sys/types.h>

namespace brood::detail
{

/// What stands between the bytes of a link and its socket: encryption of another floor.
///
/// Nothing here waits, and each call names the same socket. For one loop.
class cipher
{
public:
    virtual ~cipher() = default;

    /// Takes bytes to be written, as send(2): gives how many, or -1 with errno. What the kernel
    /// does not take at once is held: until that is written, nothing more is taken.
    virtual ssize_t send(int socket, std::span<const std::byte> bytes) = 0;

    /// Whether bytes that were taken wait for the kernel.
    virtual bool holds() const noexcept = 0;

    /// Writes them. False, with errno, when the kernel does not take them all.
    virtual bool flush(int socket) = 0;

    /// Says, behind all that was taken, that no more will come; so often as one likes. False when
    /// that waits until the socket is writable.
    virtual bool end(int socket) = 0;

    /// Fills the room with what has come, as recv(2): 0 at the end, -1 with errno. It gives less
    /// only when the socket is empty, or at the end.
    virtual ssize_t receive(int socket, std::span<std::byte> room) = 0;

    /// How many bytes receive() may give although the socket has none, at most.
    virtual std::size_t held() const noexcept = 0;
};

} // namespace brood::detail
