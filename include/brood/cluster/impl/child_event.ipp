// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/child_event.hpp>
#include <brood/cluster/detail/core/event_queue.hpp>

#include <utility>

namespace brood
{

BROOD_INLINE child_event_stream::child_event_stream(
    std::shared_ptr<detail::event_queue<child_event>> queue) noexcept
    : queue_(std::move(queue))
{
}

BROOD_INLINE task<std::optional<child_event>> child_event_stream::next()
{
    return detail::event_queue<child_event>::next(queue_);
}

BROOD_INLINE std::size_t child_event_stream::missed() const noexcept
{
    return queue_->missed();
}

} // namespace brood
