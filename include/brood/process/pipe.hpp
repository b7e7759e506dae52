// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/task.hpp>
#include <brood/process/detail/quiet_write.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace brood
{

/// The end of a pipe that this process reads: what a child prints.
class pipe_reader
{
public:
    pipe_reader(const asio::any_io_executor& executor, descriptor end)
        : end_(executor, end.release())
    {
        end_.native_non_blocking(true);
    }

    /// Some bytes as soon as there are any; empty at the end. Cancelled, it loses nothing.
    task<std::string> read_some()
    {
        if (!buffered_.empty())
            co_return std::exchange(buffered_, {});
        std::string bytes(65536, '\0');
        auto count = co_await read_into(std::span(bytes.data(), bytes.size()));
        bytes.resize(count);
        co_return bytes;
    }

    /// The next line without its end, or nothing when there are no more. The last line may lack its
    /// end.
    task<std::optional<std::string>> read_line()
    {
        for (std::size_t searched = 0;;)
        {
            auto end = buffered_.find('\n', searched);
            if (end != std::string::npos)
            {
                auto line = buffered_.substr(0, end);
                buffered_.erase(0, end + 1);
                co_return line;
            }
            searched = buffered_.size();
            auto more = co_await more_buffered();
            if (!more)
                break;
        }
        if (buffered_.empty())
            co_return std::nullopt;
        co_return std::exchange(buffered_, {});
    }

    /// Everything until the end. Cancelled, what was read is kept for the next call.
    task<std::string> read_all()
    {
        for (bool more = true; more;)
            more = co_await more_buffered();
        co_return std::exchange(buffered_, {});
    }

    /// The descriptor, for Asio's own operations (asio::async_read_until and others).
    asio::posix::stream_descriptor& stream() noexcept { return end_; }

    void close()
    {
        std::error_code ignored;
        end_.close(ignored);
    }

private:
    task<bool> more_buffered()
    {
        std::array<char, 16384> chunk;
        auto count = co_await read_into(std::span(chunk));
        buffered_.append(chunk.data(), count);
        co_return count != 0;
    }

    task<std::size_t> read_into(std::span<char> room)
    {
        for (;;)
        {
            auto count =
                retry([&] { return ::read(end_.native_handle(), room.data(), room.size()); });
            if (count >= 0)
                co_return static_cast<std::size_t>(count);
            if (errno != EAGAIN)
                throw_system_error(errno, "read from pipe");
            co_await end_.async_wait(asio::posix::stream_descriptor::wait_read,
                                     asio::use_awaitable);
        }
    }

    asio::posix::stream_descriptor end_;
    std::string buffered_;
};

/// The end of a pipe that this process writes: the input of a child.
class pipe_writer
{
public:
    pipe_writer(const asio::any_io_executor& executor, descriptor end)
        : end_(executor, end.release())
    {
        end_.native_non_blocking(true);
    }

    /// Writes all of it. Throws std::system_error (EPIPE) when nobody reads any more; there is no
    /// SIGPIPE. Cancelled, a part of it may have been written.
    task<> write(std::string text)
    {
        std::string_view rest = text;
        while (!rest.empty())
        {
            auto count = detail::quiet_write(end_.native_handle(), rest);
            if (count >= 0)
                rest.remove_prefix(static_cast<std::size_t>(count));
            else if (errno != EAGAIN)
                throw_system_error(errno, "write to pipe");
            else
                co_await end_.async_wait(asio::posix::stream_descriptor::wait_write,
                                         asio::use_awaitable);
        }
    }

    /// The reader finds the end.
    void close()
    {
        std::error_code ignored;
        end_.close(ignored);
    }

    bool is_open() const noexcept { return end_.is_open(); }

private:
    asio::posix::stream_descriptor end_;
};

} // namespace brood
