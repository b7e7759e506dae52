// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/event_queue.hpp>
#include <brood/cluster/event.hpp>

#include <utility>

namespace brood
{

BROOD_INLINE
event_stream::event_stream(std::shared_ptr<detail::event_queue<cluster_event>> queue) noexcept
    : queue_(std::move(queue))
{
}

BROOD_INLINE task<std::optional<cluster_event>> event_stream::next()
{
    return detail::event_queue<cluster_event>::next(queue_);
}

BROOD_INLINE std::size_t event_stream::missed() const noexcept
{
    return queue_->missed();
}

} // namespace brood
