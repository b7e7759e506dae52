// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/detail/wait_to_take.hpp>
#include <brood/cluster/worker_output.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace brood::detail
{

/// Lines that wait to be read, up to a limit.
class line_queue
{
public:
    line_queue(const asio::any_io_executor& executor, const worker_output& settings)
        : settings_(settings), arrived_(executor), room_(executor)
    {
    }

    bool empty() const noexcept { return lines_.empty(); }

    /// Adds one; when there is too much, the oldest are lost.
    void push(output_line line)
    {
        if (has_ended_)
            return;
        if (settings_.full == worker_output::when_full::drop_oldest)
            while (!empty() && bytes_ + size_of(line) > settings_.waiting)
                lose_first();
        bytes_ += size_of(line);
        lines_.push_back(std::move(line));
        arrived_.post_one();
    }

    /// The oldest one.
    output_line pop()
    {
        auto line = std::move(lines_.front());
        lines_.pop_front();
        bytes_ -= size_of(line);
        line.lost = std::exchange(lost_, 0);
        room_.post_all();
        return line;
    }

    /// No more come.
    void end()
    {
        has_ended_ = true;
        arrived_.post_all();
        room_.post_all();
    }

    /// Waits until one more may be added.
    static task<> room(std::shared_ptr<line_queue> self)
    {
        while (self->must_wait())
            co_await self->room_.wait();
    }

    /// The next one; nothing when no more come.
    static task<std::optional<output_line>> next(std::shared_ptr<line_queue> self)
    {
        while (self->empty() && !self->has_ended_)
            co_await wait_to_take(self->arrived_);
        if (self->empty())
            co_return std::nullopt;
        co_return self->pop();
    }

private:
    // With its end: else empty lines would wait without a limit.
    static std::size_t size_of(const output_line& line) noexcept { return line.text.size() + 1; }

    bool must_wait() const noexcept
    {
        return settings_.full == worker_output::when_full::wait && bytes_ >= settings_.waiting &&
               !has_ended_;
    }

    void lose_first()
    {
        bytes_ -= size_of(lines_.front());
        lines_.pop_front();
        ++lost_;
    }

    worker_output settings_;
    std::deque<output_line> lines_;
    std::size_t bytes_ = 0; // of all lines
    std::size_t lost_ = 0;  // since the last one was taken
    bool has_ended_ = false;
    wait_queue arrived_;
    wait_queue room_;
};

} // namespace brood::detail
