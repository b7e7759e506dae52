// SPDX-License-Identifier: BSL-1.0
// A new connection goes to the worker that has the fewest open, as its HTTP server counts them.
#include <brood/cluster/cluster.hpp>
#include <brood/http/server.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/within.hpp"

#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::dispatch_policy;
using brood::process;
using brood::task;
namespace http = brood::http;

namespace
{

task<> serve(process& self)
{
    auto say_slot = [&self](http::request&, http::response& response) -> task<>
    {
        co_await response.end(std::to_string(self.worker_slot()));
    };
    auto listener = co_await self.listen(0);
    co_await http::serve(listener, say_slot);
}

/// A connection that was asked once and is kept, and the slot of the worker that has it.
task<std::pair<asio::ip::tcp::socket, std::size_t>> keep_one(std::uint16_t port)
{
    auto client = co_await connect_to(port);
    std::string request = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
    co_await asio::async_write(client, asio::buffer(request), asio::use_awaitable);
    std::string answer;
    auto into = asio::dynamic_buffer(answer);
    auto head = co_await asio::async_read_until(client, into, "\r\n\r\n", asio::use_awaitable);
    if (answer.size() == head)
        co_await asio::async_read(client, into, asio::transfer_exactly(1), asio::use_awaitable);
    co_return std::pair(std::move(client), std::stoul(answer.substr(head)));
}

} // namespace

TEST_WITHIN(30s, "new connections go to the worker whose clients have left", "[http_dispatch]")
{
    cluster_settings settings;
    settings.size = 2;
    settings.dispatch = dispatch_policy::least_loaded();
    cluster<serve> workers(settings);
    co_await workers.ready();
    auto port = workers.workers().at(0).port();
    std::map<std::size_t, std::vector<asio::ip::tcp::socket>> clients;
    for (int count = 0; count < 20; ++count)
    {
        auto [client, slot] = co_await keep_one(port);
        clients[slot].push_back(std::move(client));
    }
    CHECK(clients[0].size() >= 8);
    CHECK(clients[1].size() >= 8);
    clients[1].clear();
    while (workers.stats().workers.at(1).traffic.open_connections != 0)
        co_await brood::sleep(1ms);

    for (int count = 0; count < 5; ++count)
    {
        auto [client, slot] = co_await keep_one(port);
        CHECK(slot == 1);
        clients[slot].push_back(std::move(client));
    }
    clients.clear();
    co_await workers.stop();
}
