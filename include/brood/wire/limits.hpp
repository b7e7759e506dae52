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

    /// Above this, nothing more is read until messages are taken; the sender then finds its socket
    /// full.
    std::size_t incoming_high_water = std::size_t{1} << 20;

    /// Above this, the channel ends with an error: messages pile up that nobody takes, in front of
    /// a reply that somebody waits for.
    std::size_t max_incoming = std::size_t{64} << 20;

    /// The most descriptors that one message may carry here, at most 4096. Above this, `send`
    /// returns false until the other side has taken some, and nothing more is read until messages
    /// are taken; with twice as many in front of a reply the channel ends with an error.
    std::size_t max_descriptors = 256;

    /// The most requests whose handlers run at once; the next ones wait.
    std::size_t max_calls = 1024;
};

} // namespace brood
