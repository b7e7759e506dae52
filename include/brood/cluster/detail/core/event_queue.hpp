// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace brood::detail
{

/// What one observer has not yet taken.
template <class Event>
class event_queue
{
public:
    explicit event_queue(asio::any_io_executor executor) : arrived_(std::move(executor)) {}

    void push(const Event& event)
    {
        if (waiting_.size() == limit)
        {
            waiting_.pop_front();
            ++missed_;
        }
        waiting_.push_back(event);
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
            co_await self->arrived_.wait();
        if (self->waiting_.empty())
            co_return std::nullopt;
        auto event = std::move(self->waiting_.front());
        self->waiting_.pop_front();
        co_return event;
    }

private:
    // An observer that never looks must not cost more than this.
    static constexpr std::size_t limit = 65'536;

    std::deque<Event> waiting_;
    std::size_t missed_ = 0;
    bool has_ended_ = false;
    wait_queue arrived_;
};

} // namespace brood::detail
