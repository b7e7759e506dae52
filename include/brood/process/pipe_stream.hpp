// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/pipe.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/process/detail/pipe_core.hpp>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

// The ends of pipes as streams for Asio's own operations: asio::async_read_until(child.out(), …).

namespace brood
{
namespace detail
{

/// An Asio operation on a pipe, the body of async_compose: `Step` does what can be done without
/// waiting, and says EAGAIN when that is nothing.
template <class Step>
class pipe_operation
{
public:
    pipe_operation(std::shared_ptr<pipe_core> end, pipe_core::waiting what, Step step)
        : end_(std::move(end)), what_(what), step_(std::move(step))
    {
    }

    template <class Self>
    void operator()(Self& self, std::error_code error = {})
    {
        auto first = std::exchange(first_, false);
        if (!first && (done_ || error))
            return self.complete(done_ ? error_ : error, count_);
        count_ = step_(*end_, error_);
        done_ = error_ != std::errc::resource_unavailable_try_again;
        if (!done_)
            return end_->stream().async_wait(what_, std::move(self));
        // A handler must not run inside the call that began the operation.
        if (first)
            return asio::post(end_->executor(), std::move(self));
        self.complete(error_, count_);
    }

private:
    std::shared_ptr<pipe_core> end_;
    pipe_core::waiting what_;
    Step step_;
    bool first_ = true;
    bool done_ = false;
    std::error_code error_;
    std::size_t count_ = 0;
};

template <class Buffer, class Buffers>
Buffer first_that_is_not_empty(const Buffers& all)
{
    auto end = asio::buffer_sequence_end(all);
    for (auto place = asio::buffer_sequence_begin(all); place != end; ++place)
        if (Buffer bytes(*place); bytes.size() != 0)
            return bytes;
    return {};
}

/// Reads some bytes: what was read already comes first.
template <class Buffers>
struct pipe_read
{
    Buffers to;

    std::size_t operator()(pipe_core& end, std::error_code& error) const
    {
        error.clear();
        auto room = first_that_is_not_empty<asio::mutable_buffer>(to);
        auto unread = end.unread().data();
        if (!unread.empty() || room.size() == 0)
        {
            auto count = asio::buffer_copy(to, asio::buffer(unread.data(), unread.size()));
            end.unread().consume(count);
            return count;
        }
        auto count = end.read_into(room.data(), room.size());
        if (count == -1)
            error.assign(errno, std::system_category());
        if (count == 0)
            error = asio::error::eof;
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
};

/// Writes some bytes, and raises no SIGPIPE.
template <class Buffers>
struct pipe_write
{
    Buffers from;

    std::size_t operator()(pipe_core& end, std::error_code& error) const
    {
        error.clear();
        auto bytes = first_that_is_not_empty<asio::const_buffer>(from);
        if (bytes.size() == 0)
            return 0;
        auto count = end.write_now({static_cast<const char*>(bytes.data()), bytes.size()});
        if (count == -1)
            error.assign(errno, std::system_category());
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
};

/// Begins one.
template <class Step, class Token>
auto begin_pipe_operation(std::shared_ptr<pipe_core> end, pipe_core::waiting what, Step step,
                          Token&& token)
{
    auto executor = end->executor();
    return asio::async_compose<Token, void(std::error_code, std::size_t)>(
        pipe_operation<Step>(std::move(end), what, std::move(step)), token, executor);
}

} // namespace detail

template <class Buffers, class Token>
auto pipe_reader::async_read_some(const Buffers& to, Token&& token)
{
    return detail::begin_pipe_operation(core_, detail::pipe_core::waiting::wait_read,
                                        detail::pipe_read<Buffers>{to}, std::forward<Token>(token));
}

template <class Buffers, class Token>
auto pipe_writer::async_write_some(const Buffers& from, Token&& token)
{
    return detail::begin_pipe_operation(core_, detail::pipe_core::waiting::wait_write,
                                        detail::pipe_write<Buffers>{from},
                                        std::forward<Token>(token));
}

} // namespace brood
