// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/base/task.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// A connection of which nobody knows yet whose it is. It has a time to say so, and is closed then.
class stranger
{
public:
    stranger(const asio::any_io_executor& executor, descriptor socket,
             std::chrono::milliseconds time)
        : socket_(executor), limit_(executor, time)
    {
        assign_descriptor(std::move(socket), socket_);
    }

    /// Begins to count its time.
    static void watch(const std::shared_ptr<stranger>& one)
    {
        one->limit_.async_wait(
            [weak = std::weak_ptr(one)](std::error_code cancelled)
            {
                auto self = weak.lock();
                if (!cancelled && self)
                    self->close();
            });
    }

    void close()
    {
        std::error_code ignored;
        socket_.close(ignored);
    }

    /// Reads as much as there is room for, and no more; false when it ends before.
    static task<bool> read(std::shared_ptr<stranger> from, std::span<std::byte> room)
    {
        while (!room.empty() && from->socket_.is_open())
        {
            auto count = retry(
                [&] {
                    return ::recv(from->socket_.native_handle(), room.data(), room.size(),
                                  MSG_DONTWAIT);
                });
            if (count > 0)
                room = room.subspan(static_cast<std::size_t>(count));
            else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
                co_return false;
            else
                co_await from->socket_.async_wait(stream::wait_read, use_tuple);
        }
        co_return room.empty();
    }

    /// Writes all of it; false when it ends before.
    static task<bool> write(std::shared_ptr<stranger> to, std::span<const std::byte> bytes)
    {
        while (!bytes.empty() && to->socket_.is_open())
        {
            auto count = retry(
                [&]
                {
                    return ::send(to->socket_.native_handle(), bytes.data(), bytes.size(),
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
                });
            if (count >= 0)
                bytes = bytes.subspan(static_cast<std::size_t>(count));
            else if (errno != EAGAIN && errno != EWOULDBLOCK)
                co_return false;
            else
                co_await to->socket_.async_wait(stream::wait_write, use_tuple);
        }
        co_return bytes.empty();
    }

    /// It is known: its socket is somebody's.
    descriptor release()
    {
        limit_.cancel();
        return socket_.is_open() ? descriptor(socket_.release()) : descriptor();
    }

private:
    using stream = asio::posix::stream_descriptor;

    stream socket_;
    asio::steady_timer limit_;
};

} // namespace brood::detail
