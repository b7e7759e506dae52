// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/inbox.hpp>
#include <brood/cluster/detail/core/message_hub.hpp>
#include <brood/cluster/message_stream.hpp>

#include <utility>

namespace brood::detail
{

BROOD_INLINE std::optional<worker> take_sender(inbox& from)
{
    return from.take();
}

BROOD_INLINE task<bool> wait_for_sender(std::shared_ptr<inbox> from)
{
    return inbox::wait(std::move(from));
}

BROOD_INLINE message_observer::message_observer(std::shared_ptr<message_hub> hub) noexcept
    : hub_(std::move(hub))
{
}

BROOD_INLINE message_observer::~message_observer()
{
    hub_->change();
}

BROOD_INLINE message_turn::message_turn(std::shared_ptr<message_hub> hub) noexcept
    : hub_(std::move(hub))
{
    hub_->begin_turn();
}

BROOD_INLINE message_turn::~message_turn()
{
    if (hub_)
        hub_->end_turn();
}

BROOD_INLINE const std::shared_ptr<inbox>& message_turn::from() const noexcept
{
    return hub_->from();
}

BROOD_INLINE void message_turn::give_all(const void* message)
{
    hub_->give_all(message);
}

BROOD_INLINE task<message_turn> take_turn(std::shared_ptr<message_observer> by)
{
    auto hub = by->hub();
    while (by->waiting() == 0 && !hub->has_ended())
    {
        if (hub->can_take())
            co_return message_turn(hub);
        co_await hub->changed();
    }
    co_return message_turn();
}

BROOD_INLINE void add_observer(const std::shared_ptr<message_observer>& added)
{
    added->hub()->add(added);
}

BROOD_INLINE void tell_taken(message_hub& hub)
{
    hub.change();
}

} // namespace brood::detail
