// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/base/task.hpp>
#include <brood/process/detail/unblocked_io.hpp>
#include <brood/process/pipe.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// This process's end of a pipe, shared by its owner and by the coroutines that wait on it.
class pipe_core
{
public:
    using waiting = asio::posix::stream_descriptor::wait_type;

    pipe_core(asio::any_io_executor executor, descriptor end) : executor_(std::move(executor))
    {
        assign_descriptor(std::move(end), stream_.emplace(executor_));
        stream_->native_non_blocking(true);
    }

    /// What a handle is for.
    template <class Handle>
    static const std::shared_ptr<pipe_core>& of(const Handle& handle) noexcept
    {
        return handle.core_;
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    bool is_open() const noexcept { return stream_.has_value(); }

    asio::posix::stream_descriptor& stream() noexcept { return *stream_; }

    int number() noexcept { return stream_ ? stream_->native_handle() : -1; }

    /// What was read and not yet taken.
    buffer& unread() noexcept { return unread_; }

    /// Whoever waits on it gets operation_aborted.
    void close() { stream_.reset(); }

    /// Of a socket, what this end writes ends; it can still be read.
    void close_writing()
    {
        if (stream_ && ::shutdown(number(), SHUT_WR) == -1)
            stream_.reset(); // it is a pipe
    }

    /// Waits for readiness; not at all when this end was closed.
    static task<> ready(std::shared_ptr<pipe_core> end, waiting what)
    {
        end->in_a_row_ = 0;
        if (end->stream_)
            co_await end->stream_->async_wait(what, asio::use_awaitable);
    }

    /// A pipe that is always ready must not keep the loop from everything else.
    static task<> let_others_go_on(std::shared_ptr<pipe_core> end)
    {
        constexpr int enough = 16;
        if (++end->in_a_row_ < enough)
            co_return;
        end->in_a_row_ = 0;
        auto executor = end->executor_;
        co_await asio::post(executor, asio::use_awaitable);
    }

    /// Adds some bytes to what was read, as soon as there are any; false at the end.
    static task<bool> read_more(std::shared_ptr<pipe_core> end)
    {
        co_await let_others_go_on(end);
        for (;;)
        {
            // It may have been cancelled in the turn in which it was woken: under || what it reads
            // from here on would be lost.
            auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                throw std::system_error(asio::error::operation_aborted, "read from pipe");
            auto count = end->fill();
            if (count >= 0)
                co_return count != 0;
            if (errno != EAGAIN)
                throw_system_error(errno, "read from pipe");
            co_await ready(end, waiting::wait_read);
        }
    }

    /// Some bytes, as soon as there are any; empty at the end.
    static task<std::string> read_some(std::shared_ptr<pipe_core> end)
    {
        if (end->unread_.empty())
            co_await read_more(end);
        co_return end->take(end->unread_.size());
    }

    static task<std::optional<std::string>> read_line(std::shared_ptr<pipe_core> end,
                                                      std::size_t longest)
    {
        for (std::size_t searched = 0;;)
        {
            auto found = end->find_line_end(searched);
            searched = end->unread_.size();
            if (found.value_or(searched) > longest)
                throw_too_large("a line", longest);
            if (found)
            {
                auto text = end->take(*found);
                end->unread_.consume(1);
                co_return text;
            }
            auto more = co_await read_more(end);
            if (!more)
                break;
        }
        if (end->unread_.empty())
            co_return std::nullopt;
        co_return end->take(end->unread_.size());
    }

    static task<std::string> read_all(std::shared_ptr<pipe_core> end, std::size_t most)
    {
        for (bool more = true; more;)
        {
            if (end->unread_.size() > most)
                throw_too_large("what it wrote", most);
            more = co_await read_more(end);
        }
        co_return end->take(end->unread_.size());
    }

    /// What was read, and what can be without waiting: a little more than a pipe holds, at most.
    std::string read_now()
    {
        constexpr std::size_t enough = std::size_t{1} << 20;
        while (unread_.size() < enough && fill() > 0)
            continue;
        return take(unread_.size());
    }

    /// Writes all of it.
    static task<> write(std::shared_ptr<pipe_core> end, std::string_view text)
    {
        while (!text.empty())
        {
            co_await let_others_go_on(end);
            auto count = end->write_now(text);
            if (count >= 0)
                text.remove_prefix(static_cast<std::size_t>(count));
            else if (errno == EAGAIN)
                co_await ready(end, waiting::wait_write);
            else
                throw_system_error(errno, "write to pipe");
        }
    }

    static task<> write_all(std::shared_ptr<pipe_core> end, std::string text)
    {
        co_await write(end, text);
    }

    /// As read(2), but EAGAIN instead of waiting; from an end that is closed here EBADF.
    ssize_t read_into(void* to, std::size_t size) { return io_.read(number(), to, size); }

    /// As write(2), but EAGAIN instead of waiting; to an end that is closed here as if nobody read.
    ssize_t write_now(std::string_view text)
    {
        if (stream_)
            return io_.write(number(), text);
        errno = EPIPE;
        return -1;
    }

    /// Waits until nobody holds the other end, without reading what is in it. Closed here is an end
    /// as well.
    static task<> hung_up(std::shared_ptr<pipe_core> end)
    {
        if (end->stream_)
            co_await end->stream_->async_wait(waiting::wait_error, use_tuple);
    }

private:
    std::string take(std::size_t count)
    {
        std::string text(reinterpret_cast<const char*>(unread_.data().data()), count);
        unread_.consume(count);
        return text;
    }

    std::optional<std::size_t> find_line_end(std::size_t from) const
    {
        auto bytes = unread_.data().subspan(std::min(from, unread_.size()));
        auto found = bytes.empty() ? nullptr : std::memchr(bytes.data(), '\n', bytes.size());
        if (found == nullptr)
            return std::nullopt;
        return static_cast<std::size_t>(static_cast<const std::byte*>(found) -
                                        unread_.data().data());
    }

    [[noreturn]] static void throw_too_large(const char* what, std::size_t limit)
    {
        throw error(errc::too_large, std::string("pipe from a child: ") + what +
                                         " is longer than " + std::to_string(limit) + " bytes");
    }

    // The room is not kept across a wait: another reader may move the buffer.
    ssize_t fill()
    {
        constexpr std::size_t chunk = 65536; // what a pipe holds by default
        auto room = unread_.prepare(chunk);
        auto count = read_into(room.data(), chunk);
        if (count > 0)
            unread_.commit(static_cast<std::size_t>(count));
        return count;
    }

    asio::any_io_executor executor_;
    std::optional<asio::posix::stream_descriptor> stream_; // none when it is closed
    unblocked_io io_;
    buffer unread_;
    int in_a_row_ = 0; // reads or writes since the loop went on with something else
};

} // namespace brood::detail
