// SPDX-License-Identifier: BSL-1.0
// A server that reads its configuration again without failing a request: new workers are ready
// before old ones are asked to stop. A configuration that is wrong changes nothing.
//
// Prints:
//   good morning
//   replaced 2 workers
//   good evening
//   the new one failed: process <n> ended with code 1
//   good evening
#include <brood/brood.hpp>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <cereal/types/string.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

using asio::use_awaitable;
using asio::ip::tcp;

brood::task<> serve(brood::process& self, std::string configuration) // runs in the workers
{
    std::string greeting;
    std::getline(std::ifstream(configuration), greeting);
    if (greeting.empty())
        std::exit(1);
    auto listener = co_await self.listen(0);
    greeting += '\n';
    while (auto client = co_await listener.accept())
        co_await asio::async_write(*client, asio::buffer(greeting), use_awaitable);
}

brood::task<> show_greeting(std::uint16_t port)
{
    auto executor = co_await asio::this_coro::executor;
    tcp::socket server(executor);
    tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    co_await server.async_connect(here, use_awaitable);
    std::string greeting;
    auto into = asio::dynamic_buffer(greeting);
    co_await asio::async_read_until(server, into, '\n', use_awaitable);
    std::cout << greeting;
}

brood::task<> primary() // runs here
{
    auto configuration = std::filesystem::temp_directory_path() /
                         ("greeting." + std::to_string(brood::process::pid()));
    std::ofstream(configuration) << "good morning\n";
    brood::cluster_settings settings;
    settings.size = 2;
    brood::cluster<serve> workers(settings, configuration.string());
    co_await workers.ready();
    auto port = workers.workers().front().port();
    co_await show_greeting(port);

    std::ofstream(configuration) << "good evening\n";
    auto report = co_await workers.reload();
    std::cout << report << '\n';
    co_await show_greeting(port);

    std::ofstream(configuration) << "\n";
    report = co_await workers.reload();
    std::cout << "the new one failed: " << report.failure.value().status << '\n';
    co_await show_greeting(port);

    co_await workers.stop();
    std::filesystem::remove(configuration);
}

int main()
{
    return brood::run(primary);
}
