// SPDX-License-Identifier: BSL-1.0
// A TCP server of two workers on one port. One is killed, and its successor takes its place; the
// port never refuses.
//
// Prints:
//   worker 1: HELLO
//   worker 1 in slot 0: process <n> was ended by SIGKILL after <n> ms
//   worker 2: STILL THERE
//   worker 3: BACK AGAIN
#include <brood/brood.hpp>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <string>

using asio::use_awaitable;
using asio::ip::tcp;

brood::task<> serve(brood::process& self) // runs in the workers
{
    auto listener = co_await self.listen(0);
    while (auto client = co_await listener.accept())
    {
        std::string line;
        auto into = asio::dynamic_buffer(line);
        co_await asio::async_read_until(*client, into, '\n', use_awaitable);
        for (auto& letter : line)
            letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
        auto reply = "worker " + std::to_string(self.worker_id()) + ": " + line;
        co_await asio::async_write(*client, asio::buffer(reply), use_awaitable);
    }
}

brood::task<> ask(std::uint16_t port, std::string question)
{
    auto executor = co_await asio::this_coro::executor;
    tcp::socket server(executor);
    tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    co_await server.async_connect(here, use_awaitable);
    co_await asio::async_write(server, asio::buffer(question), use_awaitable);
    std::string line;
    auto into = asio::dynamic_buffer(line);
    co_await asio::async_read_until(server, into, '\n', use_awaitable);
    std::cout << line;
}

brood::task<> primary() // runs here
{
    brood::cluster_settings settings;
    settings.size = 2;
    settings.dispatch = brood::dispatch_policy::round_robin();
    brood::cluster<serve> workers(settings);
    co_await workers.ready();
    auto port = workers.workers().front().port();

    co_await ask(port, "hello\n");
    workers.workers().front().kill(SIGKILL);
    auto ended = co_await workers.exit();
    std::cout << *ended << '\n';
    co_await ask(port, "still there\n");
    co_await workers.ready();
    co_await ask(port, "back again\n");
    co_await workers.stop();
}

int main()
{
    return brood::run(primary);
}
