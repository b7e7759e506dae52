// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/pipe.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/process/detail/pipe_core.hpp>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

// The ends of pipes as streams for Asio's own operations: asio::async_read_until(child.out(), …).

namespace brood
{
namespace detail
{

/// Begins an Asio operation that reads: what was read already comes first.
struct pipe_read
{
    std::shared_ptr<pipe_core> end;

    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& to) const
    {
        if (end->is_open() && end->unread().empty())
            return end->stream().async_read_some(to, std::forward<Handler>(handler));
        auto unread = end->unread().data();
        auto count = asio::buffer_copy(to, asio::buffer(unread.data(), unread.size()));
        end->unread().consume(count);
        std::error_code error;
        if (!end->is_open() && unread.empty())
            error = asio::error::bad_descriptor;
        auto executor = asio::get_associated_executor(handler, end->executor());
        asio::post(executor, [handler = std::forward<Handler>(handler), error, count]() mutable
                   { handler(error, count); });
    }
};

/// An Asio operation that writes some bytes and raises no SIGPIPE: the body of async_compose.
template <class Buffers>
class pipe_write
{
public:
    pipe_write(std::shared_ptr<pipe_core> end, const Buffers& from)
        : end_(std::move(end)), from_(from)
    {
    }

    template <class Self>
    void operator()(Self& self, std::error_code error = {})
    {
        auto first = std::exchange(first_, false);
        if (!first && (done_ || error))
            return self.complete(done_ ? error_ : error, count_);
        if (!try_now())
            return end_->stream().async_wait(pipe_core::waiting::wait_write, std::move(self));
        // A handler must not run inside the call that began the operation.
        if (first)
            return asio::post(end_->executor(), std::move(self));
        self.complete(error_, count_);
    }

private:
    bool try_now()
    {
        auto text = first_bytes();
        auto count = text.empty() ? 0 : end_->write_now(text);
        if (count == -1 && errno == EAGAIN)
            return false;
        done_ = true;
        if (count == -1)
            error_.assign(errno, std::system_category());
        else
            count_ = static_cast<std::size_t>(count);
        return true;
    }

    std::string_view first_bytes() const
    {
        auto end = asio::buffer_sequence_end(from_);
        for (auto place = asio::buffer_sequence_begin(from_); place != end; ++place)
        {
            asio::const_buffer bytes(*place);
            if (bytes.size() != 0)
                return {static_cast<const char*>(bytes.data()), bytes.size()};
        }
        return {};
    }

    std::shared_ptr<pipe_core> end_;
    Buffers from_;
    bool first_ = true;
    bool done_ = false;
    std::error_code error_;
    std::size_t count_ = 0;
};

} // namespace detail

template <class Buffers, class Token>
auto pipe_reader::async_read_some(const Buffers& to, Token&& token)
{
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(detail::pipe_read{core_},
                                                                           token, to);
}

template <class Buffers, class Token>
auto pipe_writer::async_write_some(const Buffers& from, Token&& token)
{
    return asio::async_compose<Token, void(std::error_code, std::size_t)>(
        detail::pipe_write<Buffers>(core_, from), token, get_executor());
}

} // namespace brood
