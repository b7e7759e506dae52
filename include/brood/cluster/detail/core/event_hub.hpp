// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/event_queue.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/event.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Tells each observer everything.
class event_hub
{
public:
    explicit event_hub(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    std::shared_ptr<event_queue<cluster_event>> subscribe()
    {
        auto queue = std::make_shared<event_queue<cluster_event>>(executor_);
        if (has_ended_)
            queue->end();
        observers_.push_back(queue);
        return queue;
    }

    void publish(cluster_event::kind what, std::shared_ptr<worker_core> about,
                 std::string text = {}, std::optional<exit_info> ended = std::nullopt)
    {
        std::erase_if(observers_, [](auto& each) { return each.expired(); });
        cluster_event event{what, worker(std::move(about)), std::move(text), std::move(ended)};
        for (auto& each : observers_)
            if (auto observer = each.lock())
                observer->push(event);
    }

    void end()
    {
        has_ended_ = true;
        for (auto& each : observers_)
            if (auto observer = each.lock())
                observer->end();
    }

private:
    asio::any_io_executor executor_;
    std::vector<std::weak_ptr<event_queue<cluster_event>>> observers_;
    bool has_ended_ = false;
};

} // namespace brood::detail
