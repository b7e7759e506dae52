// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio_net.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/http/detail/alarm.hpp>
#include <brood/http/detail/byte_stream.hpp>
#include <brood/http/detail/request_context.hpp>

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace brood::http::detail
{

using endpoint_type = asio::generic::stream_protocol::endpoint;

/// A name that is being looked up, on the thread that Asio has for that: nothing can interrupt it,
/// so that it is left alone when it takes too long.
struct name_lookup
{
    explicit name_lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor)
    {
    }

    asio::ip::tcp::resolver resolver;
    asio::steady_timer done;
    bool is_done = false;
    std::error_code failed;
    std::vector<asio::ip::tcp::endpoint> found;
};

inline void start(const std::shared_ptr<name_lookup>& lookup, const destination& to)
{
    lookup->resolver.async_resolve(
        to.host, std::to_string(to.port), asio::ip::resolver_base::numeric_service,
        [lookup](std::error_code failed, asio::ip::tcp::resolver::results_type results)
        {
            lookup->is_done = true;
            lookup->failed = failed;
            for (auto& each : results)
                lookup->found.push_back(each.endpoint());
            lookup->done.cancel();
        });
}

inline task<std::vector<asio::ip::tcp::endpoint>> look_up(std::shared_ptr<const request_context> of,
                                                          request_context::clock::time_point until)
{
    auto& to = of->to();
    auto executor = co_await asio::this_coro::executor;
    auto lookup = std::make_shared<name_lookup>(executor);
    start(lookup, to);
    lookup->done.expires_at(until);
    while (!lookup->is_done && request_context::clock::now() < until)
    {
        auto waiting = lookup->done.async_wait(brood::detail::use_tuple);
        co_await std::move(waiting);
        auto state = co_await asio::this_coro::cancellation_state;
        throw_when_cancelled(state);
    }
    if (!lookup->is_done)
        throw of->late("looking up " + to.host, of->options.connect_timeout);
    if (lookup->failed)
        throw of->failure(lookup->failed, "look up " + to.host);
    co_return std::move(lookup->found);
}

/// Where a connection may lead: the addresses of a name, in the order of the system's taste.
inline task<std::vector<endpoint_type>> find_addresses(std::shared_ptr<const request_context> of,
                                                       request_context::clock::time_point until)
{
    auto& to = of->to();
    std::vector<endpoint_type> addresses;
    std::error_code no_address;
    auto literal = asio::ip::make_address(to.host, no_address);
    if (to.path.size() >= sizeof(sockaddr_un::sun_path))
        throw of->failure(std::make_error_code(std::errc::filename_too_long),
                          "connect to " + to.path);
    if (!to.path.empty())
        addresses.emplace_back(asio::local::stream_protocol::endpoint(to.path));
    else if (!no_address)
        addresses.emplace_back(asio::ip::tcp::endpoint(literal, to.port));
    else
    {
        auto found = co_await look_up(of, until);
        addresses.assign(found.begin(), found.end());
    }
    co_return addresses;
}

inline std::string text_of(const endpoint_type& address, const destination& to)
{
    if (!to.path.empty())
        return to.path;
    asio::ip::tcp::endpoint known;
    known.resize(address.size());
    std::memcpy(known.data(), address.data(), address.size());
    auto text = known.address().to_string();
    if (known.address().is_v6())
        text = '[' + text + ']';
    return text + ':' + std::to_string(known.port());
}

/// A socket of the right kind, close-on-exec.
inline void open_socket(socket_type& socket, const endpoint_type& address, std::error_code& failed)
{
    socket.open(address.protocol(), failed);
    if (failed)
        return;
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    send_at_once(socket);
}

/// A connection that no loop knew, as a socket of this one.
inline socket_type adopt(const asio::any_io_executor& executor, descriptor connection)
{
    sockaddr_storage local = {};
    socklen_t size = sizeof local;
    check(::getsockname(connection.get(), reinterpret_cast<sockaddr*>(&local), &size),
          "use a kept connection");
    socket_type socket(executor);
    asio::generic::stream_protocol protocol(local.ss_family, 0);
    socket.assign(protocol, connection.get());
    static_cast<void>(connection.release()); // it has a new owner
    return socket;
}

/// Gives errc::timed_out when it takes too long.
inline task<std::error_code> connect_to(socket_type& socket, const endpoint_type& address,
                                        request_context::clock::time_point until)
{
    std::error_code failed;
    open_socket(socket, address, failed);
    if (failed)
        co_return failed;
    auto give_up = [&socket]
    {
        std::error_code ignored;
        socket.close(ignored);
    };
    alarm limit(socket.get_executor(), until, give_up);
    auto connecting = socket.async_connect(address, brood::detail::use_tuple);
    auto result = co_await std::move(connecting);
    auto state = co_await asio::this_coro::cancellation_state;
    throw_when_cancelled(state);
    if (limit.rang())
        co_return make_error_code(errc::timed_out);
    co_return std::get<0>(result);
}

/// A connection to the first address that takes one. Throws std::system_error with what the last
/// one said, and errc::timed_out.
inline task<socket_type> connect(std::shared_ptr<const request_context> of)
{
    using clock = request_context::clock;
    auto executor = co_await asio::this_coro::executor;
    auto time = of->options.connect_timeout;
    auto until = of->until(clock::now(), time);
    auto addresses = co_await find_addresses(of, until);
    auto left = static_cast<clock::rep>(addresses.size());
    for (auto& address : addresses)
    {
        auto now = clock::now();
        auto share = until == byte_stream::never ? until : now + (until - now) / left--;
        socket_type socket(executor);
        auto failed = co_await connect_to(socket, address, share);
        if (!failed)
            co_return socket;
        if (&address != &addresses.back())
            continue;
        auto where = text_of(address, of->to());
        if (failed == errc::timed_out)
            throw of->late("connecting to " + where, time);
        throw of->failure(failed, "connect to " + where);
    }
    throw of->failure(make_error_code(std::errc::host_unreachable), "look up a name");
}

} // namespace brood::http::detail
