// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/event_queue.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Whoever wants to hear of every event, each with a queue of its own.
template <class Event>
class observers
{
public:
    explicit observers(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    std::shared_ptr<event_queue<Event>> subscribe()
    {
        auto queue = std::make_shared<event_queue<Event>>(executor_);
        if (has_ended_)
            queue->end();
        queues_.push_back(queue);
        return queue;
    }

    void tell(const Event& event)
    {
        std::erase_if(queues_, [](auto& each) { return each.expired(); });
        for (auto& each : queues_)
            if (auto queue = each.lock())
                queue->push(event);
    }

    /// Nothing happens any more, unless it begins again: for those who come then.
    void end()
    {
        has_ended_ = true;
        for (auto& each : std::exchange(queues_, {}))
            if (auto queue = each.lock())
                queue->end();
    }

    void begin() noexcept { has_ended_ = false; }

private:
    asio::any_io_executor executor_;
    std::vector<std::weak_ptr<event_queue<Event>>> queues_;
    bool has_ended_ = false;
};

} // namespace brood::detail
