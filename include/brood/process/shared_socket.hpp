// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/asio.hpp>
#include <brood/process/internal/receiving.hpp>

#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

namespace brood
{

/// A socket for datagrams, made by process::bind(): `Socket` is asio::ip::udp::socket, and all that
/// one can do with it can be done with this.
///
/// When a worker is asked to stop, what waits for a datagram here is cancelled, and what begins to
/// wait later ends at once: with operation_aborted, and without taking one, so that it is for the
/// workers that go on. Datagrams can still be sent: an answer, say; only a send that waits for room
/// in that moment is cancelled as well. In no cluster nothing of this happens. Moved into a plain
/// Asio socket it is that, and the program has to cancel what waits once process::shutdown() has
/// completed.
template <class Socket>
class shared_socket : public Socket
{
public:
    using endpoint_type = typename Socket::endpoint_type;
    using message_flags = typename Socket::message_flags;
    using wait_type = typename Socket::wait_type;

    /// `until` ends it; null when nobody does.
    explicit shared_socket(Socket open, std::shared_ptr<detail::receiving> until = nullptr) noexcept
        : Socket(std::move(open)), until_(std::move(until))
    {
        attend();
    }

    shared_socket(shared_socket&& other) noexcept
        : Socket(std::move(static_cast<Socket&>(other))), until_(std::move(other.until_))
    {
        attend();
    }

    shared_socket& operator=(shared_socket&& other) noexcept
    {
        leave();
        Socket::operator=(std::move(static_cast<Socket&>(other)));
        until_ = std::move(other.until_);
        attend();
        return *this;
    }

    ~shared_socket() { leave(); }

    /// As the operations of Asio, until the worker is asked to stop.
    template <class Buffers, class Token>
    auto async_receive(const Buffers& to, Token&& token)
    {
        return async_receive(to, message_flags(0), std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_receive(const Buffers& to, message_flags flags, Token&& token)
    {
        auto start = [this, to, flags](auto handler)
        {
            Socket::async_receive(to, flags, std::move(handler));
        };
        return begin<Token, void(std::error_code, std::size_t)>(token, true, start, std::size_t{0});
    }

    template <class Buffers, class Token>
    auto async_receive_from(const Buffers& to, endpoint_type& from, Token&& token)
    {
        return async_receive_from(to, from, message_flags(0), std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_receive_from(const Buffers& to, endpoint_type& from, message_flags flags,
                            Token&& token)
    {
        auto start = [this, to, &from, flags](auto handler)
        {
            Socket::async_receive_from(to, from, flags, std::move(handler));
        };
        return begin<Token, void(std::error_code, std::size_t)>(token, true, start, std::size_t{0});
    }

    /// A wait for room to write begins also later.
    template <class Token>
    auto async_wait(wait_type what, Token&& token)
    {
        auto start = [this, what](auto handler)
        {
            Socket::async_wait(what, std::move(handler));
        };
        auto takes = what != Socket::wait_write;
        return begin<Token, void(std::error_code)>(token, takes, start);
    }

private:
    template <class Token, class Signature, class Start, class... Nothing>
    auto begin(Token& token, bool takes, Start start, Nothing... nothing)
    {
        auto initiate = [this, takes, start, nothing...](auto handler)
        {
            if (!takes || !until_ || !until_->is_over())
                return start(std::move(handler));
            // A handler must not run inside the call that began the operation.
            auto executor = asio::get_associated_executor(handler, this->get_executor());
            auto complete = [handler = std::move(handler), nothing...]() mutable
            {
                std::move(handler)(std::error_code(asio::error::operation_aborted), nothing...);
            };
            asio::post(executor, std::move(complete));
        };
        return asio::async_initiate<Token, Signature>(initiate, token);
    }

    void attend() noexcept
    {
        auto cancel = [this]
        {
            std::error_code ignored;
            Socket::cancel(ignored);
        };
        if (until_)
            until_->on_end(cancel);
    }

    void leave() noexcept
    {
        if (until_)
            until_->on_end(nullptr);
    }

    std::shared_ptr<detail::receiving> until_; // null of one that was moved from
};

} // namespace brood
