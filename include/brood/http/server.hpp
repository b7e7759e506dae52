// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/internal/temporary.hpp>
#include <brood/base/loop.hpp>
#include <brood/http/detail/open_acceptor.hpp>
#include <brood/http/detail/server_core.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http
{

/// An HTTP/1.1 server: a handler, and the connections on which it answers requests.
///
/// Requests of one connection are answered one after the other; connections do not wait for each
/// other. Nothing a client sends ends the process. Follows Node's http.Server:
/// https://nodejs.org/api/http.html#class-httpserver
class server
{
public:
    using socket_type = asio::generic::stream_protocol::socket;

    explicit server(handler answer, server_options options = {})
        : server(default_executor(), std::move(answer), std::move(options))
    {
    }

    server(asio::any_io_executor executor, handler answer, server_options options = {})
        : core_(std::make_shared<detail::server_core>(std::move(executor), std::move(answer),
                                                      std::move(options)))
    {
    }

    server(server&&) noexcept = default;
    server& operator=(server&&) = delete;

    /// As close_all(). A handler that runs goes on until it next touches its connection.
    ~server()
    {
        if (core_)
            core_->close_all();
    }

    /// Serves what a listener accepts until that is closed, which for a worker's is when it is
    /// asked to stop, then as close(), and returns when the last connection has ended. A copy of
    /// the listener will do, and several may be served. Throws what accept() throws.
    template <class Listener>
    task<> serve(Listener from)
    {
        return serve_from(core_, std::move(from));
    }

    /// The same for an acceptor of Asio.
    template <class Protocol, class Executor>
    task<> serve(asio::basic_socket_acceptor<Protocol, Executor> from)
    {
        return serve_from(core_, detail::open_acceptor<Protocol, Executor>(std::move(from)));
    }

    /// Serves a connection that somebody else has accepted: TCP or a local socket, of which these
    /// bytes have been read already. Closing, it serves what has come, and ends the connection.
    void adopt(socket_type connection, std::string_view already_read = {})
    {
        core_->add(std::move(connection), already_read);
    }

    /// Ends well: the listeners that are served are closed, requests that have begun are answered,
    /// with `Connection: close`, and what waits for a request is closed at once; but a connection
    /// that was used in the last half second has the rest of that for one more, because its client
    /// may be sending it.
    void close() { core_->close(); }

    /// Closes the connections that wait for a request.
    void close_idle() { core_->close_idle(); }

    /// Closes all connections, in the middle of whatever they do.
    void close_all() { core_->close_all(); }

    /// Waits until there is no connection.
    task<> closed() { return detail::server_core::closed(core_); }

    /// How many connections there are.
    std::size_t connections() const noexcept { return core_->connections(); }

    /// How many of them wait for a request.
    std::size_t idle() const { return core_->idle(); }

private:
    template <class Listener>
    static task<> serve_from(std::shared_ptr<detail::server_core> core, Listener from)
    {
        auto listening = core->closes_too([from]() mutable { from.close(); });
        for (;;)
        {
            auto connection = co_await from.accept();
            if (!connection)
                break;
            core->add(socket_type(std::move(*connection)), {});
        }
        core->close();
        co_await detail::server_core::closed(core);
    }

    std::shared_ptr<detail::server_core> core_;
};

namespace detail
{

template <class Listener>
task<> serve_alone(server made, Listener from)
{
    co_await made.serve(std::move(from));
}

} // namespace detail

/// Answers the requests that come to a listener, until that is closed and every request has its
/// answer: see server::serve(). For a worker that does nothing else, this is all:
///
///     auto listener = co_await self.listen(8080);
///     co_await brood::http::serve(listener, hello);
template <class Listener, class Handler>
task<> serve(Listener from, Handler&& answer, server_options options = {})
{
    brood::detail::check_temporary<Handler>();
    static_assert(std::convertible_to<Handler, handler>,
                  "brood: an http handler is task<>(http::request&, http::response&)");
    server made(handler(std::forward<Handler>(answer)), std::move(options));
    return detail::serve_alone(std::move(made), std::move(from));
}

} // namespace brood::http
