// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/base/task.hpp>
#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/tls.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
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
        : from_(address_of(socket)), socket_(executor), limit_(executor, time)
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
                if (cancelled || !self)
                    return;
                self->is_late_ = true;
                self->close();
            });
    }

    void close()
    {
        std::error_code ignored;
        socket_.close(ignored);
    }

    /// Encrypts all that is said from here on; false when the other side does not.
    static task<bool> encrypt(std::shared_ptr<stranger> one, std::shared_ptr<tls> by)
    {
        one->tls_ = by;
        while (one->socket_.is_open())
        {
            auto now = by->shake(one->socket_.native_handle());
            if (now == tls::handshake::done || now == tls::handshake::failed)
                co_return now == tls::handshake::done;
            auto what = now == tls::handshake::reads ? stream::wait_read : stream::wait_write;
            co_await one->socket_.async_wait(what, use_tuple);
        }
        co_return false;
    }

    /// What encrypts it; null for nothing.
    std::shared_ptr<cipher> through() const noexcept { return tls_; }

    /// Reads as much as there is room for, and no more; false when it ends before.
    static task<bool> read(std::shared_ptr<stranger> from, std::span<std::byte> room)
    {
        while (!room.empty() && from->socket_.is_open())
        {
            auto count = from->receive(room);
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
        while ((!bytes.empty() || to->holds()) && to->socket_.is_open())
        {
            auto count = to->send(bytes);
            if (count >= 0)
                bytes = bytes.subspan(static_cast<std::size_t>(count));
            else if (errno != EAGAIN && errno != EWOULDBLOCK)
                co_return false;
            else
                co_await to->socket_.async_wait(stream::wait_write, use_tuple);
        }
        co_return bytes.empty();
    }

    /// Where it comes from.
    const std::string& address() const noexcept { return from_; }

    /// Whether its time is over.
    bool is_late() const noexcept { return is_late_; }

    /// It is known: its socket is somebody's.
    descriptor release()
    {
        limit_.cancel();
        return socket_.is_open() ? descriptor(socket_.release()) : descriptor();
    }

private:
    using stream = asio::posix::stream_descriptor;

    static std::string address_of(const descriptor& socket)
    {
        far_address from;
        from.size = sizeof from.bytes;
        auto place = reinterpret_cast<sockaddr*>(&from.bytes);
        auto known = ::getpeername(socket.get(), place, &from.size) == 0;
        return known ? host_of(from.bytes) : "somebody who has gone";
    }

    bool holds() const noexcept { return tls_ && tls_->holds(); }

    ssize_t receive(std::span<std::byte> room)
    {
        auto from = socket_.native_handle();
        if (tls_)
            return tls_->receive(from, room);
        return retry([&] { return ::recv(from, room.data(), room.size(), MSG_DONTWAIT); });
    }

    ssize_t send(std::span<const std::byte> bytes)
    {
        auto to = socket_.native_handle();
        if (tls_)
            return bytes.empty() ? (tls_->flush(to) ? 0 : -1) : tls_->send(to, bytes);
        return retry(
            [&] { return ::send(to, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
    }

    std::string from_;
    std::shared_ptr<tls> tls_; // null for bytes in the clear
    bool is_late_ = false;
    stream socket_;
    asio::steady_timer limit_;
};

} // namespace brood::detail
