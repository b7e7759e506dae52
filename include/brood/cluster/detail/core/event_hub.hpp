// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/observers.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/event.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace brood::detail
{

/// Tells everything that happens to workers: each observer, and who keeps them.
class event_hub
{
public:
    explicit event_hub(asio::any_io_executor executor) : observers_(std::move(executor)) {}

    /// A supervisor hears of its worker in the call in which it happens, so that what it tells
    /// itself comes in order.
    void keep_told(std::function<void(const cluster_event&)> keeper)
    {
        keeper_ = std::move(keeper);
    }

    std::shared_ptr<event_queue<cluster_event>> subscribe() { return observers_.subscribe(); }

    void publish(cluster_event::kind what, std::shared_ptr<worker_core> about,
                 std::string text = {}, std::optional<exit_info> ended = std::nullopt)
    {
        cluster_event event{what, worker(std::move(about)), std::move(text), std::move(ended)};
        observers_.tell(event);
        if (keeper_)
            keeper_(event);
    }

    /// What the end of a worker says of its host, if anything.
    void publish_host(const std::shared_ptr<worker_core>& about, const std::string& set_aside)
    {
        if (!set_aside.empty())
            publish(cluster_event::kind::host_set_aside, about, set_aside);
    }

    void end() { observers_.end(); }

private:
    observers<cluster_event> observers_;
    std::function<void(const cluster_event&)> keeper_;
};

} // namespace brood::detail
