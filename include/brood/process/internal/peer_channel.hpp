// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/channel.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace brood::detail
{

/// Which worker of a cluster another one is.
struct peer_identity
{
    std::uint64_t id = 0;
    std::size_t slot = 0;
    std::string host; ///< Empty for this machine.
};

/// "worker 7 in slot 2", and on which host, where that is another one.
inline std::string to_string(const peer_identity& who)
{
    auto text = "worker " + std::to_string(who.id) + " in slot " + std::to_string(who.slot);
    return who.host.empty() ? text : text + " on " + who.host;
}

/// A channel from one worker to another.
class peer_channel : public channel
{
public:
    peer_channel(channel open, peer_identity other) noexcept
        : channel(std::move(open)), who(std::move(other))
    {
    }

    using channel::link;

    /// Whether something can be sent that the other side will take.
    bool is_open() const noexcept { return !is_leaving && connected(); }

    const peer_identity who;
    bool is_leaving = false; ///< It was asked to stop, and takes nothing new.
};

} // namespace brood::detail
