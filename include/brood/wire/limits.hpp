// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstddef>

namespace brood
{

/// What a channel may hold. All in bytes but the descriptors; each side has its own.
///
/// The other side is never trusted to keep them: what goes above a maximum ends the channel with an
/// error.
struct channel_limits
{
    /// The longest message, in its encoded form. For larger things send `shared_bytes`.
    std::size_t max_message = std::size_t{16} << 20;

    /// Above this, `send` returns false: the time to await `drain()`, which waits until half of it
    /// is left.
    std::size_t outgoing_high_water = std::size_t{256} << 10;

    /// Above this, `send` throws instead: the sender ignored that it was asked to wait.
    std::size_t max_outgoing = std::size_t{64} << 20;

    /// As much as the other side may send of messages, and as much of requests, that nobody here
    /// has taken; what it sends then waits there. At least 256 KiB, until it has read our hello.
    std::size_t incoming_high_water = std::size_t{4} << 20;

    /// After disconnect(), when the other side can no longer be told to wait: above this, the
    /// channel ends with an error, as messages pile up that nobody takes in front of a reply.
    std::size_t max_incoming = std::size_t{64} << 20;

    /// The most descriptors that one message may carry here, at most 4096. As many may come that
    /// nobody has taken, and above this `send` returns false until the other side has taken some.
    std::size_t max_descriptors = 256;

    /// The most requests whose handlers run at once; the next ones wait.
    std::size_t max_calls = 1024;
};

} // namespace brood
