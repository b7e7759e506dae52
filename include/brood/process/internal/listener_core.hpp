// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/out_of_resources.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/base/task.hpp>
#include <brood/process/internal/listening_socket.hpp>

#include <cerrno>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// Where the connections of a listener come from: a socket that this process accepts from, or the
/// primary that hands them over. Shared by the listener and by those who wait for a connection.
class listener_core
{
public:
    listener_core(asio::any_io_executor executor, socket_address address)
        : executor_(executor), address_(address), changed_(std::move(executor))
    {
    }

    ~listener_core()
    {
        try
        {
            close();
        }
        catch (const std::exception&)
        {
            // Who should be told does not read.
        }
    }

    listener_core(const listener_core&) = delete;
    listener_core& operator=(const listener_core&) = delete;

    /// A listener of a process that has no primary.
    static std::shared_ptr<listener_core> listen(asio::any_io_executor executor,
                                                 const listen_request& wanted)
    {
        listening_socket socket(wanted);
        auto result = std::make_shared<listener_core>(std::move(executor), socket.address());
        result->own(std::move(socket));
        return result;
    }

    /// The same at a socket that listens already.
    static std::shared_ptr<listener_core> listen_with(asio::any_io_executor executor,
                                                      descriptor open)
    {
        auto name = "descriptor " + std::to_string(open.get());
        int listens = 0;
        socklen_t size = sizeof listens;
        check(::getsockopt(open.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), "listen with",
              name);
        if (listens == 0)
            throw_system_error(EINVAL, "listen with", name);
        check(::fcntl(open.get(), F_SETFL, ::fcntl(open.get(), F_GETFL) | O_NONBLOCK),
              "listen with", name);
        auto result =
            std::make_shared<listener_core>(std::move(executor), socket_address::of(open.get()));
        result->accept_from(std::move(open));
        return result;
    }

    /// A listener or local_listener.
    template <class Handle>
    static Handle handle(std::shared_ptr<listener_core> of) noexcept
    {
        return Handle(std::move(of));
    }

    const socket_address& address() const noexcept { return address_; }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    /// From here on it accepts from this socket.
    void accept_from(descriptor socket)
    {
        assign_descriptor(std::move(socket), shared_.emplace(executor_));
    }

    /// Keeps the socket of a process without a primary.
    void own(listening_socket socket)
    {
        accept_from(socket.socket().duplicate());
        own_.emplace(std::move(socket));
    }

    /// Who is told what happens here.
    struct observer
    {
        std::function<void()> accepted = {};    ///< A connection was taken.
        std::function<void()> took_handed = {}; ///< One that had been handed over was taken.
        std::function<void()> lost_handed = {}; ///< It had been lost on the way.
        std::function<void()> closed = {};
    };

    void tell(observer who) { told_ = std::move(who); }

    /// One more to take, before those that the socket gives. Dropped when this is closed. An empty
    /// one was lost on the way, for want of a descriptor.
    void hand_over(descriptor connection)
    {
        if (is_closed_)
            return;
        handed_.push_back(std::move(connection));
        wake();
    }

    /// The next connection that is here; an empty descriptor when there is none. Throws
    /// std::system_error.
    descriptor take()
    {
        while (!handed_.empty())
            if (auto connection = take_handed())
                return connection;
        if (close_at_ && std::chrono::steady_clock::now() >= *close_at_)
            close();
        return shared_ ? accept() : descriptor();
    }

    /// The next connection; an empty descriptor when it is closed. Throws std::system_error.
    static task<descriptor> next(std::shared_ptr<listener_core> self)
    {
        for (;;)
        {
            auto connection = self->take();
            if (connection && self->told_.accepted)
                self->told_.accepted();
            if (connection || self->is_over())
                co_return connection;
            co_await changed(self);
            // Under || what is taken from here on would be lost.
            auto cancellation = co_await asio::this_coro::cancellation_state;
            if (cancellation.cancelled() != asio::cancellation_type::none)
            {
                self->wake_for_handed();
                throw std::system_error(asio::error::operation_aborted, "accept");
            }
        }
    }

    /// Takes no more: what was handed over and not taken is for others, who have copies.
    void close()
    {
        if (std::exchange(is_closed_, true))
            return;
        handed_.clear();
        shared_.reset();
        own_.reset();
        changed_.post_all();
        if (auto closed = std::exchange(told_.closed, nullptr))
            closed();
    }

    /// The same, but not before all that was handed over is taken and the backlog is empty, for
    /// which it waits a second at most: nobody else would accept what waits there.
    void close_when_empty()
    {
        close_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
        shared_ || !handed_.empty() ? wake() : close();
    }

private:
    void wake()
    {
        std::error_code ignored;
        if (shared_)
            shared_->cancel(ignored);
        changed_.post_one();
    }

    // Who was woken and takes nothing wakes the next one.
    void wake_for_handed()
    {
        if (!handed_.empty())
            wake();
    }

    // Whether there is nothing more to wait for.
    bool is_over()
    {
        if (close_at_)
            close();
        return is_closed_;
    }

    descriptor take_handed()
    {
        auto connection = std::move(handed_.front());
        handed_.pop_front();
        crowded_ = !connection;
        auto& told = connection ? told_.took_handed : told_.lost_handed;
        if (told)
            told();
        return connection;
    }

    // Empty when nobody waits; what concerns one connection alone is no error of the listener.
    descriptor accept()
    {
        for (;;)
        {
            auto number = retry([&] { return accept_one(shared_->native_handle()); });
            crowded_ = number == -1 && is_out_of_resources(errno);
            if (number != -1 || errno == EAGAIN || errno == EWOULDBLOCK || crowded_)
                return descriptor(number);
            if (!concerns_one_connection(errno))
                throw_system_error(errno, "accept on", to_string(address_));
        }
    }

    // It was aborted, or its network failed: accept(2) of Linux. All else, a sandbox that refuses
    // the call say, would come again at once, and for ever.
    static bool concerns_one_connection(int reason) noexcept
    {
        for (int each : {ECONNABORTED, ECONNRESET, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH,
                         EHOSTDOWN, EHOSTUNREACH, ETIMEDOUT})
            if (reason == each)
                return true;
#ifdef ENONET
        return reason == ENONET;
#else
        return false;
#endif
    }

    static int accept_one(int listening)
    {
#ifdef __APPLE__
        auto number = retry([&] { return ::accept(listening, nullptr, nullptr); });
        if (number != -1)
            ::fcntl(number, F_SETFD, FD_CLOEXEC);
        return number;
#else
        return retry(
            [&] { return ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); });
#endif
    }

    static task<> changed(std::shared_ptr<listener_core> self)
    {
        if (std::exchange(self->crowded_, false))
            co_await sleep(until_resources_may_be_free);
        else if (self->shared_)
            co_await self->shared_->async_wait(asio::posix::stream_descriptor::wait_read,
                                               use_tuple);
        else
            co_await self->changed_.wait();
    }

    asio::any_io_executor executor_;
    socket_address address_;
    std::optional<asio::posix::stream_descriptor> shared_;
    std::optional<listening_socket> own_;
    std::deque<descriptor> handed_;
    observer told_;
    std::optional<std::chrono::steady_clock::time_point> close_at_;
    wait_queue changed_;
    bool is_closed_ = false;
    bool crowded_ = false;
};

} // namespace brood::detail
