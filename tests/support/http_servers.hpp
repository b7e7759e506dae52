// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio_net.hpp>
#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>
#include <brood/http/server.hpp>

#include <asio/write.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace brood::test
{

inline asio::ip::tcp::acceptor local_acceptor()
{
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    return asio::ip::tcp::acceptor(default_executor(), any);
}

inline std::string url_of(const asio::ip::tcp::acceptor& acceptor)
{
    return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
}

/// An http server at a port of this machine, as long as it lives.
class running_server
{
public:
    explicit running_server(http::handler handler, http::server_options options = {})
        : server(std::move(handler), std::move(options))
    {
        auto acceptor = local_acceptor();
        url_ = url_of(acceptor);
        asio::co_spawn(default_executor(), server.serve(std::move(acceptor)), asio::detached);
    }

    ~running_server() { server.close(); }

    std::string url(const std::string& target = "/") const { return url_ + target; }

    http::server server;

private:
    std::string url_;
};

/// A connection of a raw_server.
class raw_peer
{
public:
    raw_peer(asio::ip::tcp::socket socket, std::size_t count)
        : number(count), socket_(std::move(socket))
    {
    }

    const std::size_t number; ///< 1 for the first.

    asio::ip::tcp::socket& socket() noexcept { return socket_; }

    /// What has come when this mark has, and nothing behind it; all when the client closes first.
    task<std::string> read_until(std::string mark = "\r\n\r\n")
    {
        for (;;)
        {
            auto found = read_.find(mark);
            if (found != std::string::npos)
            {
                auto taken = read_.substr(0, found + mark.size());
                read_.erase(0, taken.size());
                co_return taken;
            }
            char bytes[65'536];
            auto into = asio::buffer(bytes);
            auto reading = socket_.async_read_some(into, brood::detail::use_tuple);
            auto result = co_await std::move(reading);
            if (std::get<0>(result))
                co_return std::exchange(read_, {});
            read_.append(bytes, std::get<1>(result));
        }
    }

    task<> send(std::string text)
    {
        auto writing = asio::async_write(socket_, asio::buffer(text), brood::detail::use_tuple);
        co_await std::move(writing);
    }

    /// Until the client has closed; nothing it sends meanwhile matters.
    task<> stay() { co_await read_until(std::string(1, '\0')); }

    void close() { socket_.close(); }

private:
    asio::ip::tcp::socket socket_;
    std::string read_;
};

/// A server that answers with whatever bytes it likes: each connection is served by a coroutine,
/// and closed when that ends.
class raw_server
{
public:
    using script = std::function<task<>(raw_peer&)>;

    explicit raw_server(script serve) : state_(std::make_shared<state>(std::move(serve)))
    {
        asio::co_spawn(default_executor(), run(state_), asio::detached);
    }

    /// Sends this to each request, and waits for the next one.
    explicit raw_server(std::string answer) : raw_server(always(std::move(answer))) {}

    ~raw_server() { state_->acceptor.close(); }

    std::string url(const std::string& target = "/") const { return state_->url + target; }

    /// How many there were, and how many are open.
    std::size_t connections() const { return state_->connections; }

    std::size_t open() const { return state_->open; }

private:
    struct state
    {
        explicit state(script chosen) : serve(std::move(chosen)), url(url_of(acceptor)) {}

        script serve;
        asio::ip::tcp::acceptor acceptor = local_acceptor();
        std::string url;
        std::size_t connections = 0, open = 0;
    };

    static script always(std::string answer)
    {
        return [answer](raw_peer& peer) -> task<>
        {
            for (;;)
            {
                auto request = co_await peer.read_until();
                if (!request.ends_with("\r\n\r\n"))
                    co_return;
                co_await peer.send(answer);
            }
        };
    }

    static task<> run(std::shared_ptr<state> self)
    {
        for (;;)
        {
            auto accepting = self->acceptor.async_accept(brood::detail::use_tuple);
            auto result = co_await std::move(accepting);
            if (std::get<0>(result))
                co_return;
            asio::co_spawn(self->acceptor.get_executor(),
                           serve(self, std::move(std::get<1>(result))), asio::detached);
        }
    }

    static task<> serve(std::shared_ptr<state> self, asio::ip::tcp::socket socket)
    {
        raw_peer peer(std::move(socket), ++self->connections);
        ++self->open;
        auto serving = self->serve(peer);
        co_await std::move(serving);
        --self->open;
    }

    std::shared_ptr<state> state_;
};

} // namespace brood::test
