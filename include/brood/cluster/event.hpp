// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>
#include <brood/cluster/worker.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood
{

/// Something that happened to a worker of a cluster.
struct cluster_event
{
    enum class kind
    {
        fork,       ///< Its process was started, in the turn of the loop before this.
        online,     ///< Its loop runs; its code comes next.
        ready,      ///< It can be given work.
        listening,  ///< It listens: see `text`.
        disconnect, ///< Its channel has closed.
        hung,       ///< Its loop stands still, and it is killed: see `text`.
        exit,       ///< It has ended: see `ended`.
        parked,     ///< Its slot stays empty: it failed too often, or gave up.
    };

    kind what;
    brood::worker worker;
    std::string text;               ///< Where it listens, or what it did when it hung.
    std::optional<exit_info> ended; ///< How and why.
};

namespace detail
{

/// What one observer has not yet taken.
template <class Event>
struct event_queue
{
    explicit event_queue(asio::any_io_executor executor) : arrived(std::move(executor)) {}

    void push(const Event& event)
    {
        if (waiting.size() == limit)
        {
            waiting.pop_front();
            ++missed;
        }
        waiting.push_back(event);
        arrived.post_one();
    }

    void end()
    {
        has_ended = true;
        arrived.post_all();
    }

    static task<std::optional<Event>> next(std::shared_ptr<event_queue> self)
    {
        while (self->waiting.empty() && !self->has_ended)
            co_await self->arrived.wait();
        if (self->waiting.empty())
            co_return std::nullopt;
        auto event = std::move(self->waiting.front());
        self->waiting.pop_front();
        co_return event;
    }

    // A observer that never looks must not cost more than this.
    static constexpr std::size_t limit = 65'536;

    std::deque<Event> waiting;
    std::size_t missed = 0;
    bool has_ended = false;
    wait_queue arrived;
};

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

    void publish(cluster_event::kind what, std::shared_ptr<worker_record> about,
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

} // namespace detail

/// What happens in a cluster from the moment this was made, in its order: made by
/// cluster::events().
///
/// Each observer gets every event. One that does not look for a long time loses the oldest, and is
/// told how many.
class event_stream
{
public:
    explicit event_stream(std::shared_ptr<detail::event_queue<cluster_event>> queue)
        : queue_(std::move(queue))
    {
    }

    /// The next event, or nothing when the cluster has ended. Cancelled, it loses none.
    task<std::optional<cluster_event>> next()
    {
        return detail::event_queue<cluster_event>::next(queue_);
    }

    /// How many events were lost, because more than 65,536 waited.
    std::size_t missed() const noexcept { return queue_->missed; }

private:
    std::shared_ptr<detail::event_queue<cluster_event>> queue_;
};

} // namespace brood
