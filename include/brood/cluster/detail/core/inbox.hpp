// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/detail/wait_to_take.hpp>
#include <brood/cluster/detail/core/event_queue.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/worker.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace brood::detail
{

/// The messages of all workers of a cluster, one of each in turn. They stay in the channels until
/// somebody takes them, so that flow control reaches each worker.
class inbox : public std::enable_shared_from_this<inbox>
{
public:
    explicit inbox(asio::any_io_executor executor) : taken_(executor), changed_(executor) {}

    /// Attends to the workers that are started from now on, until the cluster has ended.
    void attend(std::shared_ptr<event_queue<cluster_event>> events)
    {
        asio::co_spawn(changed_.executor(), follow(shared_from_this(), std::move(events)),
                       asio::detached);
    }

    /// Attends to one worker.
    void attend(const worker& from)
    {
        if (attended_.insert(from.id()).second)
            asio::co_spawn(changed_.executor(), watch(shared_from_this(), from), asio::detached);
    }

    /// The next one with a message; nothing when there is none now. It is looked at again, whatever
    /// comes of this.
    std::optional<worker> take()
    {
        if (readable_.empty())
            return std::nullopt;
        auto from = std::move(readable_.front());
        readable_.pop_front();
        taken_.post_all();
        return from;
    }

    /// Waits until there may be one; false when the cluster has ended, and all were taken.
    static task<bool> wait(std::shared_ptr<inbox> self)
    {
        while (self->readable_.empty() && !(self->has_ended_ && self->attended_.empty()))
            co_await wait_to_take(self->changed_);
        co_return !self->readable_.empty();
    }

private:
    static task<> follow(std::shared_ptr<inbox> self,
                         std::shared_ptr<event_queue<cluster_event>> events)
    {
        for (;;)
        {
            auto event = co_await event_queue<cluster_event>::next(events);
            if (!event)
                break;
            if (event->what == cluster_event::kind::fork)
                self->attend(event->worker);
        }
        self->has_ended_ = true;
        self->changed_.post_all();
    }

    static task<> watch(std::shared_ptr<inbox> self, worker from)
    {
        for (;;)
        {
            auto more = co_await is_readable(from);
            if (!more)
                break;
            self->readable_.push_back(from);
            self->changed_.post_one();
            while (self->offers(from))
                co_await self->taken_.wait();
        }
        self->attended_.erase(from.id());
        self->changed_.post_all();
    }

    // A channel with bytes that cannot be right has no more messages: the workforce ends its
    // worker.
    static task<bool> is_readable(worker from)
    {
        try
        {
            auto more = co_await from.process().readable();
            co_return more;
        }
        catch (const error&)
        {
            co_return false;
        }
    }

    bool offers(const worker& from) const
    {
        return std::find(readable_.begin(), readable_.end(), from) != readable_.end();
    }

    std::deque<worker> readable_;      // those with a message that nobody has taken
    std::set<std::uint64_t> attended_; // by id
    bool has_ended_ = false;
    wait_queue taken_;
    wait_queue changed_;
};

} // namespace brood::detail
