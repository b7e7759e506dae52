// SPDX-License-Identifier: BSL-1.0
// The parent accepts a TCP connection and gives it to a child, which answers the client.
//
// Prints:
//   the client reads: good day from process <n>
#include <brood/brood.hpp>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <iostream>
#include <string>

using asio::use_awaitable;
using asio::ip::tcp;

brood::task<> answer(brood::process& self) // runs in the child
{
    while (auto taken = co_await self.message<brood::carrying<std::string, tcp::socket>>())
    {
        auto text = taken->message + " from process " + std::to_string(self.pid());
        co_await asio::async_write(taken->object(), asio::buffer(text), use_awaitable);
    }
}

brood::task<> parent() // runs here
{
    auto child = brood::fork<answer>();
    auto executor = co_await asio::this_coro::executor;
    tcp::acceptor acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket client(executor);
    co_await client.async_connect(acceptor.local_endpoint(), use_awaitable);

    auto connection = co_await acceptor.async_accept(use_awaitable);
    child.send(std::string("good day"), std::move(connection));
    child.disconnect();

    std::string text(64, '\0');
    auto count = co_await client.async_read_some(asio::buffer(text), use_awaitable);
    std::cout << "the client reads: " << text.substr(0, count) << '\n';
}

int main()
{
    return brood::run(parent);
}
