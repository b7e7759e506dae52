// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/peers_core.hpp>
#include <brood/process/detail/process_core.hpp>
#include <brood/process/peers.hpp>

#include <limits>

namespace brood
{
namespace detail
{

BROOD_INLINE std::shared_ptr<peer_channel> take_sender(peers_core& from)
{
    return from.take();
}

BROOD_INLINE std::shared_ptr<peer_channel> way_to(const peers_core& from,
                                                  const std::shared_ptr<peer_channel>& sender)
{
    return from.way_to(sender);
}

BROOD_INLINE task<bool> wait_for_sender(std::shared_ptr<peers_core> from)
{
    return peers_core::wait(std::move(from));
}

inline void check_stays(const peer_channel& other)
{
    if (other.is_leaving)
        throw error(errc::closed, to_string(other.who) + ": it ends, and takes nothing new; "
                                                         "peers::at() gives its successor");
}

inline task<> drain(std::shared_ptr<peer_channel> to)
{
    try
    {
        co_await to->drain();
    }
    catch (const error&)
    {
        check_stays(*to);
        throw;
    }
}

inline task<peer> peer_at(std::shared_ptr<peers_core> from, std::uint32_t slot)
{
    auto open = co_await peers_core::at(std::move(from), slot);
    co_return peer(std::move(open));
}

} // namespace detail

BROOD_INLINE detail::peer_channel& peer::to() const
{
    detail::check_stays(*open_);
    return *open_;
}

BROOD_INLINE task<> peer::drain() const
{
    return detail::drain(open_);
}

BROOD_INLINE peers::peers(process& self)
{
    auto& primary = detail::process_core::of(self)->primary();
    if (!primary)
        throw error(errc::no_channel, "this process is no worker of a cluster, so it has no peers");
    core_ = primary->peers();
}

BROOD_INLINE task<peer> peers::at(std::size_t slot)
{
    // No cluster has so many: the primary says that there is no such slot.
    constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
    return detail::peer_at(core_, static_cast<std::uint32_t>(std::min(slot, most)));
}

} // namespace brood
