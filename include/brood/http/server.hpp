// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/temporary.hpp>
#include <brood/base/task.hpp>
#include <brood/http/request.hpp>
#include <brood/http/response.hpp>
#include <brood/http/server_options.hpp>
#include <brood/http/stream_socket.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace brood
{

class listener;
class local_listener;

} // namespace brood

namespace brood::http
{

namespace detail
{
class server_core;
} // namespace detail

/// An HTTP/1.1 server: a handler, and the connections on which it answers requests.
///
/// Requests of one connection are answered one after the other; connections do not wait for each
/// other. Nothing a client sends ends the process. Follows Node's http.Server:
/// https://nodejs.org/api/http.html#class-httpserver
class server
{
public:
    using socket_type = stream_socket;

    explicit server(handler answer, server_options options = {});
    server(asio::any_io_executor executor, handler answer, server_options options = {});

    server(server&&) noexcept = default;
    server& operator=(server&&) = delete;

    /// As close_all(). A handler that runs goes on until it next touches its connection.
    ~server();

    /// Serves what a listener accepts until that is closed, which for a worker's is when it is
    /// asked to stop, then as close(), and returns when the last connection has ended. A copy of
    /// the listener will do, and several may be served. Throws what accept() throws.
    task<> serve(listener from);
    task<> serve(local_listener from);

    /// The same for an acceptor of Asio, and for what has accept() and close() as a listener.
    template <class Listener>
    task<> serve(Listener from)
    {
        if constexpr (requires { from.release(); })
            return serve_open(core_, from.get_executor(), from.release());
        else
            return serve_from(core_, std::move(from));
    }

    /// Serves a connection that somebody else has accepted: TCP or a local socket, of which these
    /// bytes have been read already. Closing, it serves what has come, and ends the connection.
    void adopt(socket_type connection, std::string_view already_read = {})
    {
        add(core_, std::move(connection), already_read);
    }

    /// Ends well: the listeners that are served are closed, requests that have begun are answered,
    /// with `Connection: close`, and what waits for a request is closed at once; but a connection
    /// that was used in the last half second has the rest of that for one more, because its client
    /// may be sending it.
    void close();

    /// Closes the connections that wait for a request.
    void close_idle();

    /// Closes all connections, in the middle of whatever they do.
    void close_all();

    /// Waits until there is no connection.
    task<> closed();

    /// How many connections there are.
    std::size_t connections() const noexcept;

    /// How many of them wait for a request.
    std::size_t idle() const;

private:
    using core = std::shared_ptr<detail::server_core>;

    template <class Listener>
    static task<> serve_from(core serving, Listener from)
    {
        auto listening = closes_too(serving, [from]() mutable { from.close(); });
        for (;;)
        {
            auto connection = co_await from.accept();
            if (!connection)
                break;
            add(serving, socket_type(std::move(*connection)), {});
        }
        co_await finish(serving);
    }

    // An acceptor by its descriptor.
    static task<> serve_open(core serving, asio::any_io_executor executor, int number);

    // Calls this when the server is closed, as long as what is returned lives.
    static std::shared_ptr<void> closes_too(const core& of, std::function<void()> close);
    static void add(const core& to, socket_type connection, std::string_view already_read);
    static task<> finish(core of);

    core core_;
};

namespace detail
{

task<> serve_alone(server made, task<> serving);

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
    auto serving = made.serve(std::move(from));
    return detail::serve_alone(std::move(made), std::move(serving));
}

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/server.ipp>
#endif
