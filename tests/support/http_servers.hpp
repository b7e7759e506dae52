// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/server.hpp>

#include <asio/ip/tcp.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace brood::test
{

asio::ip::tcp::acceptor local_acceptor();

std::string url_of(const asio::ip::tcp::acceptor& acceptor);

/// An http server at a port of this machine, as long as it lives.
class running_server
{
public:
    explicit running_server(http::handler handler, http::server_options options = {});

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
    raw_peer(asio::ip::tcp::socket socket, std::size_t count);

    const std::size_t number; ///< 1 for the first.

    asio::ip::tcp::socket& socket() noexcept { return socket_; }

    /// What has come when this mark has, and nothing behind it; all when the client closes first.
    task<std::string> read_until(std::string mark = "\r\n\r\n");

    task<> send(std::string text);

    /// Until the client has closed; nothing it sends meanwhile matters.
    task<> stay();

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

    explicit raw_server(script serve);

    /// Sends this to each request, and waits for the next one.
    explicit raw_server(std::string answer);

    ~raw_server();

    std::string url(const std::string& target = "/") const;

    /// How many there were, and how many are open.
    std::size_t connections() const;
    std::size_t open() const;

private:
    struct state;

    static task<> run(std::shared_ptr<state> self);
    static task<> serve(std::shared_ptr<state> self, asio::ip::tcp::socket socket);

    std::shared_ptr<state> state_;
};

} // namespace brood::test
