// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/link.hpp>
#include <brood/wire/internal/local_pair.hpp>

namespace brood
{

BROOD_INLINE channel::channel(asio::any_io_executor executor, descriptor socket, std::string peer,
                              const channel_limits& limits)
    : link_(std::make_shared<detail::link>(std::move(executor), std::move(socket), std::move(peer),
                                           limits))
{
    link_->open();
}

BROOD_INLINE std::pair<channel, channel> channel::pair(const channel_limits& limits)
{
    auto [one, other] = detail::local_pair();
    return {channel(default_executor(), std::move(one), "channel", limits),
            channel(default_executor(), std::move(other), "channel", limits)};
}

namespace detail
{

inline task<bool> readable(std::shared_ptr<link> from)
{
    auto oldest = oldest_of(*from, lane_name::messages);
    while (oldest.is == waiting_frame::state::not_yet)
    {
        co_await arrival_or_end(from, lane_name::messages, std::nullopt);
        oldest = oldest_of(*from, lane_name::messages);
    }
    co_return oldest.is == waiting_frame::state::here;
}

} // namespace detail

BROOD_INLINE task<bool> channel::readable()
{
    return detail::readable(shared());
}

BROOD_INLINE task<> channel::drain()
{
    return detail::sender::drained(use().shared_sender());
}

BROOD_INLINE task<> channel::flush()
{
    return detail::sender::flushed(use().shared_sender());
}

BROOD_INLINE void channel::disconnect()
{
    use().sending().finish();
}

BROOD_INLINE task<> channel::disconnected()
{
    return detail::link::disconnected(shared());
}

BROOD_INLINE bool channel::connected() const noexcept
{
    return link_ && link_->connected();
}

BROOD_INLINE std::vector<descriptor> channel::undelivered()
{
    return use().sending().take_returned();
}

BROOD_INLINE detail::link& channel::use() const
{
    if (!link_)
        throw error(errc::no_channel, "this process was not forked by brood, so it has no channel "
                                      "to a parent; start it with brood::fork()");
    return *link_;
}

BROOD_INLINE std::shared_ptr<detail::link> channel::shared() const
{
    use();
    return link_;
}

BROOD_INLINE void channel::abandon() noexcept
{
    if (auto last = std::exchange(link_, nullptr))
        last->abandon();
}

} // namespace brood
