// SPDX-License-Identifier: BSL-1.0
// A client that begins with HTTP and goes on with another protocol on the same connection: lines,
// which the server sends back in reverse.
//
// Prints:
//   HTTP/1.1 101 Switching Protocols
//   sdrawkcab
//   doorb
#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <iostream>
#include <string>

using asio::use_awaitable;

brood::task<> reverse_lines(brood::http::request&, brood::http::response& response)
{
    auto connection = co_await response.upgrade("reverse");
    auto lines = std::move(connection.already_read);
    for (;;)
    {
        auto into = asio::dynamic_buffer(lines);
        auto size = co_await asio::async_read_until(*connection.socket, into, '\n', use_awaitable);
        auto line = lines.substr(0, size);
        lines.erase(0, size);
        std::reverse(line.begin(), line.end() - 1);
        co_await asio::async_write(*connection.socket, asio::buffer(line), use_awaitable);
    }
}

brood::task<std::string> read_line(asio::ip::tcp::socket& from, std::string& text)
{
    auto into = asio::dynamic_buffer(text);
    auto size = co_await asio::async_read_until(from, into, '\n', use_awaitable);
    auto line = text.substr(0, size);
    text.erase(0, size);
    co_return line;
}

brood::task<> talk(brood::process& self)
{
    auto listener = co_await self.listen(0);
    brood::http::server server(reverse_lines);
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, server.serve(listener), asio::detached);

    asio::ip::tcp::socket client(executor);
    asio::ip::tcp::endpoint here(asio::ip::address_v4::loopback(),
                                 listener.local_endpoint().port());
    co_await client.async_connect(here, use_awaitable);
    std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                          "Upgrade: reverse\r\n\r\nbackwards\n";
    co_await asio::async_write(client, asio::buffer(request), use_awaitable);
    std::string text;
    auto status = co_await read_line(client, text);
    std::cout << status;
    for (std::string header = status; header != "\r\n";)
        header = co_await read_line(client, text);
    auto first = co_await read_line(client, text);
    std::cout << first;
    co_await asio::async_write(client, asio::buffer("brood\n", 6), use_awaitable);
    auto second = co_await read_line(client, text);
    std::cout << second;
}

int main()
{
    return brood::run(talk);
}
