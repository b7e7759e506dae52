// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/worker.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace brood
{

/// A message, and the worker that sent it.
template <class Message>
struct message_from
{
    brood::worker from;
    Message message;
};

namespace detail
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
    void attend(const brood::worker& from)
    {
        if (attended_.insert(from.id()).second)
            asio::co_spawn(changed_.executor(), watch(shared_from_this(), from), asio::detached);
    }

    /// The next message; nothing when the cluster has ended, and all were taken.
    template <class... Messages>
    static task<std::optional<message_from<one_of_t<Messages...>>>>
    next(std::shared_ptr<inbox> self)
    {
        for (;;)
        {
            while (self->readable_.empty() && !(self->has_ended_ && self->attended_.empty()))
                co_await self->changed_.wait();
            if (self->readable_.empty())
                co_return std::nullopt;
            auto from = std::move(self->readable_.front());
            self->readable_.pop_front();
            self->taken_.post_all(); // it is looked at again, whatever comes of this
            auto message = from.process().template try_message<Messages...>();
            if (!message)
                continue; // somebody else took it
            co_return message_from<one_of_t<Messages...>>{std::move(from), std::move(*message)};
        }
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

    static task<> watch(std::shared_ptr<inbox> self, brood::worker from)
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
    static task<bool> is_readable(brood::worker from)
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

    bool offers(const brood::worker& from) const
    {
        return std::find(readable_.begin(), readable_.end(), from) != readable_.end();
    }

    std::deque<brood::worker> readable_; // those with a message that nobody has taken
    std::set<std::uint64_t> attended_;   // by id
    bool has_ended_ = false;
    wait_queue taken_;
    wait_queue changed_;
};

} // namespace detail
} // namespace brood
