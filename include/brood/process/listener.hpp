// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>

#include <memory>
#include <optional>

namespace brood
{
namespace detail
{

class listener_core;

} // namespace detail

/// A port from which this process takes connections: made by process::listen().
///
/// In a worker the port belongs to the primary, which either shares its socket or accepts and hands
/// the connections over; the code is the same. It closes by itself when the worker is asked to
/// stop. Copies are for the same listener.
class listener
{
public:
    using socket_type = asio::ip::tcp::socket;
    using endpoint_type = asio::ip::tcp::endpoint;

    /// The next connection, or nothing when the listener is closed. Any number may wait. Cancelled,
    /// it loses none. While there is a shortage of descriptors or memory, connections wait.
    task<std::optional<socket_type>> accept();

    /// Where it listens; with the real port when port 0 was asked for.
    endpoint_type local_endpoint() const;

    /// Takes no more connections; those that it was handed and has not accepted go to another
    /// worker.
    void close();

private:
    friend class detail::listener_core;

    explicit listener(std::shared_ptr<detail::listener_core> core) noexcept;

    std::shared_ptr<detail::listener_core> core_;
};

/// The same for local (Unix domain) sockets.
class local_listener
{
public:
    using socket_type = asio::local::stream_protocol::socket;
    using endpoint_type = asio::local::stream_protocol::endpoint;

    task<std::optional<socket_type>> accept();

    endpoint_type local_endpoint() const;

    void close();

private:
    friend class detail::listener_core;

    explicit local_listener(std::shared_ptr<detail::listener_core> core) noexcept;

    std::shared_ptr<detail::listener_core> core_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/listener.ipp>
#endif
