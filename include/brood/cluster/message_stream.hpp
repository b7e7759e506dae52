// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>
#include <brood/cluster/detail/core/inbox.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace brood
{

namespace detail
{

/// The observers for messages of some types, from all workers of a cluster.
///
/// One of those that wait takes the next message, and gives a copy to each of the others.
template <class... Messages>
class message_hub
{
public:
    using message = message_from<one_of_t<Messages...>>;

    /// What one observer has not yet taken.
    struct queue
    {
        explicit queue(std::shared_ptr<message_hub> to) : hub(std::move(to)) {}

        ~queue() { hub->changed_.post_all(); }

        queue(const queue&) = delete;
        queue& operator=(const queue&) = delete;

        std::shared_ptr<message_hub> hub;
        std::deque<message> waiting = {};
    };

    explicit message_hub(const asio::any_io_executor& executor, std::shared_ptr<inbox> from)
        : from_(std::move(from)), changed_(executor)
    {
    }

    static std::shared_ptr<queue> observe(const std::shared_ptr<message_hub>& self)
    {
        auto added = std::make_shared<queue>(self);
        self->observers_.push_back(added);
        return added;
    }

    static task<std::optional<message>> next(std::shared_ptr<queue> mine)
    {
        auto hub = mine->hub;
        while (mine->waiting.empty() && !hub->has_ended_)
        {
            if (hub->is_taking_ || hub->is_somebody_slow())
                co_await hub->changed_.wait();
            else
                co_await take_one(hub);
        }
        if (mine->waiting.empty())
            co_return std::nullopt;
        auto first = std::move(mine->waiting.front());
        mine->waiting.pop_front();
        hub->changed_.post_all();
        co_return first;
    }

private:
    static task<> take_one(std::shared_ptr<message_hub> self)
    {
        taking guard(*self);
        auto taken = co_await inbox::template next<Messages...>(self->from_);
        if (!taken)
            self->has_ended_ = true;
        else
            self->give_all(*taken);
    }

    // Whoever took fails, or is cancelled: another one goes on.
    struct taking
    {
        explicit taking(message_hub& in) : hub(in) { hub.is_taking_ = true; }

        ~taking()
        {
            hub.is_taking_ = false;
            hub.changed_.post_all();
        }

        taking(const taking&) = delete;
        taking& operator=(const taking&) = delete;

        message_hub& hub;
    };

    void give_all(const message& taken)
    {
        std::erase_if(observers_, [](auto& each) { return each.expired(); });
        for (auto& each : observers_)
            if (auto observer = each.lock())
                observer->waiting.push_back(taken);
    }

    // Nothing is lost, so that the workers wait for the slowest observer.
    bool is_somebody_slow() const
    {
        return std::any_of(observers_.begin(), observers_.end(),
                           [](auto& each)
                           {
                               auto observer = each.lock();
                               return observer && observer->waiting.size() >= many;
                           });
    }

    static constexpr std::size_t many = 1'024;

    std::shared_ptr<inbox> from_;
    std::vector<std::weak_ptr<queue>> observers_;
    bool is_taking_ = false;
    bool has_ended_ = false;
    wait_queue changed_;
};

} // namespace detail

/// The messages of all workers of a cluster, for one of several observers, from the moment this was
/// made: made by cluster::messages().
///
/// Each observer gets every message. One that does not look holds the others up in the end, and
/// then the workers; one that is destroyed does not.
template <class... Messages>
class message_stream
{
public:
    using hub = detail::message_hub<Messages...>;

    explicit message_stream(std::shared_ptr<typename hub::queue> mine) : mine_(std::move(mine)) {}

    /// The next message, with the worker that sent it; nothing when no worker is kept any more.
    /// Cancelled, it loses none. Throws errc::wrong_type for a message of another type, which
    /// stays.
    task<std::optional<typename hub::message>> next() { return hub::next(mine_); }

private:
    std::shared_ptr<typename hub::queue> mine_;
};

} // namespace brood
