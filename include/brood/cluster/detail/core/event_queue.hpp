// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/detail/wait_to_take.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace brood::detail
{

/// What one observer has not yet taken. One that never looks costs no more than so many events, and
/// so much of what the workers in them printed last.
template <class Event>
class event_queue
{
public:
    static constexpr std::size_t most = 65'536;
    static constexpr std::size_t most_text = std::size_t{16} << 20;

    explicit event_queue(asio::any_io_executor executor) : arrived_(std::move(executor)) {}

    void push(const Event& event)
    {
        if (waiting_.size() == most)
            lose_first();
        waiting_.push_back(event);
        text_ += text_of(event);
        while (text_ > most_text)
            lose_text();
        arrived_.post_one();
    }

    void end()
    {
        has_ended_ = true;
        arrived_.post_all();
    }

    bool has_ended() const noexcept { return has_ended_; }

    std::size_t missed() const noexcept { return missed_; }

    static task<std::optional<Event>> next(std::shared_ptr<event_queue> self)
    {
        while (self->waiting_.empty() && !self->has_ended_)
            co_await wait_to_take(self->arrived_);
        if (self->waiting_.empty())
            co_return std::nullopt;
        co_return self->pop();
    }

private:
    // An end is told whatever it costs, and then without what was printed. An event also holds its
    // worker, which has the same text.
    static constexpr bool is_end = requires(Event event) { event.last_output; };

    static std::size_t text_of(const Event& event)
    {
        if constexpr (is_end)
            return event.last_output.size();
        else if constexpr (requires { event.ended->last_output; })
            return event.ended ? event.ended->last_output.size() : 0;
        else
            return 0;
    }

    Event pop()
    {
        auto event = std::move(waiting_.front());
        waiting_.pop_front();
        text_ -= text_of(event);
        without_text_ -= without_text_ == 0 ? 0U : 1U;
        return event;
    }

    void lose_first()
    {
        pop();
        ++missed_;
    }

    // Of the oldest that has any.
    void lose_text()
    {
        if constexpr (is_end)
        {
            auto& oldest = waiting_[without_text_++];
            text_ -= text_of(oldest);
            oldest.last_output = {};
        }
        else
        {
            lose_first();
        }
    }

    std::deque<Event> waiting_;
    std::size_t text_ = 0;         // bytes of all that wait
    std::size_t without_text_ = 0; // of the first
    std::size_t missed_ = 0;
    bool has_ended_ = false;
    wait_queue arrived_;
};

} // namespace brood::detail
