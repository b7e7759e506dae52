// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio_net.hpp>
#include <brood/process/internal/listener_core.hpp>
#include <brood/process/listen_options.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace brood
{

/// A port from which this process takes connections: made by process::listen().
///
/// In a worker the port belongs to the primary, which either shares its socket or accepts and hands
/// the connections over; the code is the same. It closes by itself when the worker is asked to
/// stop. Copies are for the same listener.
template <class Protocol>
class basic_listener
{
public:
    using socket_type = typename Protocol::socket;
    using endpoint_type = typename Protocol::endpoint;

    explicit basic_listener(std::shared_ptr<detail::listener_core> connections)
        : connections_(std::move(connections))
    {
    }

    /// The next connection, or nothing when the listener is closed. Any number may wait. Cancelled,
    /// it loses none. While there is a shortage of descriptors or memory, connections wait.
    task<std::optional<socket_type>> accept() { return next(connections_); }

    /// Where it listens; with the real port when port 0 was asked for.
    endpoint_type local_endpoint() const { return endpoint_of(connections_->address()); }

    /// Takes no more connections; those that it was handed and has not accepted go to another
    /// worker.
    void close() { connections_->close(); }

private:
    static task<std::optional<socket_type>> next(std::shared_ptr<detail::listener_core> from)
    {
        auto taken = co_await detail::listener_core::next(from);
        if (!taken)
            co_return std::nullopt;
        auto protocol = endpoint_of(from->address()).protocol();
        socket_type connection(from->executor());
        detail::assign_descriptor(std::move(taken), connection, protocol);
        co_return connection;
    }

    static endpoint_type endpoint_of(const detail::socket_address& address)
    {
        endpoint_type result;
        result.resize(address.size());
        std::memcpy(result.data(), address.data(), address.size());
        return result;
    }

    std::shared_ptr<detail::listener_core> connections_;
};

/// For TCP.
using listener = basic_listener<asio::ip::tcp>;

/// For local (Unix domain) sockets.
using local_listener = basic_listener<asio::local::stream_protocol>;

namespace detail
{

/// What to ask for, to listen or to receive datagrams at an endpoint.
template <class Endpoint>
listen_request to_listen_request(const Endpoint& at, const listen_options& options)
{
    auto protocol = at.protocol();
    listen_request result;
    result.family = protocol.family();
    result.type = protocol.type();
    result.protocol = protocol.protocol();
    result.address.assign(reinterpret_cast<const char*>(at.data()), at.size());
    result.backlog = options.backlog;
    result.v6_only = options.v6_only;
    result.reuse_port = options.reuse_port;
    result.mode = options.mode;
    return result;
}

/// A listener of a process that has no primary.
inline std::shared_ptr<listener_core> listen_alone(asio::any_io_executor executor,
                                                   const listen_request& wanted)
{
    listening_socket socket(wanted);
    auto result = std::make_shared<listener_core>(std::move(executor), socket.address());
    result->own(std::move(socket));
    return result;
}

/// The same at a socket that listens already.
inline std::shared_ptr<listener_core> listen_already(asio::any_io_executor executor,
                                                     descriptor open)
{
    auto name = std::to_string(open.get());
    int listens = 0;
    socklen_t size = sizeof listens;
    check(::getsockopt(open.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), "listen with",
          "descriptor " + name);
    if (listens == 0)
        throw_system_error(EINVAL, "listen with", "descriptor " + name);
    check(::fcntl(open.get(), F_SETFL, ::fcntl(open.get(), F_GETFL) | O_NONBLOCK), "listen with",
          "descriptor " + name);
    auto result =
        std::make_shared<listener_core>(std::move(executor), socket_address::of(open.get()));
    result->accept_from(std::move(open));
    return result;
}

} // namespace detail
} // namespace brood
