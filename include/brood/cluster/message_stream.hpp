// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/worker.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
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

class inbox;
class message_hub;

/// The next worker that has a message which nobody has taken; nothing when there is none now.
std::optional<worker> take_sender(inbox& from);

/// Waits until there may be one; false when none will come any more.
task<bool> wait_for_sender(std::shared_ptr<inbox> from);

/// The next message; nothing when the cluster has ended, and all were taken.
template <class... Messages>
task<std::optional<message_from<one_of_t<Messages...>>>> next_message(std::shared_ptr<inbox> from)
{
    for (bool more = true; more;)
    {
        while (auto sender = take_sender(*from))
        {
            auto message = sender->process().template try_message<Messages...>();
            if (message)
                co_return message_from<one_of_t<Messages...>>{std::move(*sender),
                                                              std::move(*message)};
        }
        more = co_await wait_for_sender(from);
    }
    co_return std::nullopt;
}

/// One of several who each get every message, whatever its types.
class message_observer
{
public:
    explicit message_observer(std::shared_ptr<message_hub> hub) noexcept;
    virtual ~message_observer();

    message_observer(const message_observer&) = delete;
    message_observer& operator=(const message_observer&) = delete;

    const std::shared_ptr<message_hub>& hub() const noexcept { return hub_; }

    virtual std::size_t waiting() const noexcept = 0;

    /// A copy of a message of its type.
    virtual void give(const void* message) = 0;

private:
    std::shared_ptr<message_hub> hub_;
};

/// What one of them has not yet taken.
template <class Message>
class message_queue : public message_observer
{
public:
    using message_observer::message_observer;

    std::size_t waiting() const noexcept override { return messages_.size(); }

    void give(const void* message) override
    {
        messages_.push_back(*static_cast<const Message*>(message));
    }

    Message take()
    {
        auto first = std::move(messages_.front());
        messages_.pop_front();
        return first;
    }

private:
    std::deque<Message> messages_;
};

/// Held by the one that takes the next message for all.
class message_turn
{
public:
    message_turn() noexcept = default;

    explicit message_turn(std::shared_ptr<message_hub> hub) noexcept;
    message_turn(message_turn&&) noexcept = default;
    message_turn& operator=(message_turn&&) = delete;
    ~message_turn();

    explicit operator bool() const noexcept { return hub_ != nullptr; }

    const std::shared_ptr<inbox>& from() const noexcept;

    /// What it took, for each observer; null at the end.
    void give_all(const void* message);

private:
    std::shared_ptr<message_hub> hub_;
};

/// Waits until nobody else takes and no observer is slow. Without a turn when this one has got a
/// message, or none will come.
task<message_turn> take_turn(std::shared_ptr<message_observer> by);

/// It gets every message from now on.
void add_observer(const std::shared_ptr<message_observer>& added);

/// One of its messages was taken.
void tell_taken(message_hub& hub);

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
    using message = message_from<detail::one_of_t<Messages...>>;

    explicit message_stream(std::shared_ptr<detail::message_queue<message>> mine)
        : mine_(std::move(mine))
    {
    }

    /// The next message, with the worker that sent it; nothing when no worker is kept any more.
    /// Cancelled, it loses none. Throws errc::wrong_type for a message of another type, which
    /// stays.
    task<std::optional<message>> next() { return next_of(mine_); }

private:
    static task<std::optional<message>>
    next_of(std::shared_ptr<detail::message_queue<message>> mine)
    {
        for (;;)
        {
            auto turn = co_await detail::take_turn(mine);
            if (!turn)
                break;
            auto taken = co_await detail::next_message<Messages...>(turn.from());
            turn.give_all(taken ? &*taken : nullptr);
        }
        if (mine->waiting() == 0)
            co_return std::nullopt;
        auto first = mine->take();
        detail::tell_taken(*mine->hub());
        co_return first;
    }

    std::shared_ptr<detail::message_queue<message>> mine_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/message_stream.ipp>
#endif
