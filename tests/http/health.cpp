// SPDX-License-Identifier: BSL-1.0
#include <brood/http/health.hpp>

#include <brood/base/loop.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/http/server.hpp>
#include <brood/process/listener.hpp>

#include "support/client.hpp"
#include "support/within.hpp"

#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <cstdint>
#include <memory>
#include <string>

using namespace std::chrono_literals;
using brood::process;
using brood::task;
namespace http = brood::http;

namespace
{

// A server that says how it is, and takes a while to finish when it is asked to stop.
task<> serve(process& self)
{
    auto listener = co_await self.listen(0);
    auto handler = [&self](http::request& request, http::response& response) -> task<>
    {
        if (request.target() == "/late")
            co_await self.shutdown();
        co_await http::health(self, response);
    };
    http::server server(handler);
    co_await server.serve(listener);
}

// The same at a port of its own, so that it never says that it is ready.
task<> serve_unready(process& self)
{
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor acceptor(brood::default_executor(), any);
    self.send(acceptor.local_endpoint().port());
    std::shared_ptr<http::server> server;
    auto handler = [&](http::request& request, http::response& response) -> task<>
    {
        if (request.target() == "/late")
        {
            co_await self.shutdown();
            server->close();
        }
        co_await http::health(self, response);
    };
    server = std::make_shared<http::server>(handler);
    co_await server->serve(std::move(acceptor));
}

task<std::string> ask(std::uint16_t port, std::string target)
{
    auto connection = co_await brood::test::connect_to(port);
    auto request = "GET " + target + " HTTP/1.0\r\n\r\n";
    co_await asio::async_write(connection, asio::buffer(request), asio::use_awaitable);
    auto answer = co_await brood::test::read_all(std::move(connection));
    co_return answer;
}

} // namespace

TEST_WITHIN(10s, "health() says ok while a worker takes requests, and 503 once it is asked to stop",
            "[http]")
{
    brood::cluster_settings settings;
    settings.size = 1;
    brood::cluster<serve> workers(settings);
    co_await workers.ready();
    auto port = workers.workers().front().port();

    auto well = co_await ask(port, "/");
    CHECK(well.starts_with("HTTP/1.1 200 "));
    CHECK(well.ends_with("\r\n\r\nok\n"));

    std::string stopping;
    auto executor = brood::default_executor();
    asio::co_spawn(executor, ask(port, "/late"),
                   [&](std::exception_ptr, std::string answer) { stopping = answer; });
    auto begun = co_await brood::test::eventually(
        5s, [&] { return workers.stats().traffic.open_requests == 1; });
    CHECK(begun);
    co_await workers.stop();
    CHECK(stopping.starts_with("HTTP/1.1 503 "));
    CHECK(stopping.ends_with("\r\n\r\nstopping\n"));
}

TEST_WITHIN(10s,
            "health() says starting before a worker is ready, and stopping if it is to end then",
            "[http]")
{
    brood::cluster_settings settings;
    settings.size = 1;
    brood::cluster<serve_unready> workers(settings);
    auto port = co_await workers.workers().front().message<std::uint16_t>();
    REQUIRE(port);

    auto early = co_await ask(*port, "/");
    CHECK(early.starts_with("HTTP/1.1 503 "));
    CHECK(early.find("\r\nCache-Control: no-store\r\n") != early.npos);
    CHECK(early.ends_with("\r\n\r\nstarting\n"));

    std::string stopping;
    asio::co_spawn(brood::default_executor(), ask(*port, "/late"),
                   [&](std::exception_ptr, std::string answer) { stopping = answer; });
    auto begun = co_await brood::test::eventually(
        5s, [&] { return workers.stats().traffic.open_requests == 1; });
    CHECK(begun);
    co_await workers.stop();
    CHECK(stopping.ends_with("\r\n\r\nstopping\n"));
}

TEST_WITHIN(10s, "stats() of a cluster counts requests, failures and bytes of its workers",
            "[http]")
{
    brood::cluster_settings settings;
    settings.size = 1;
    brood::cluster<serve> workers(settings);
    co_await workers.ready();
    auto port = workers.workers().front().port();
    std::size_t sent = 0;
    for (int count = 0; count < 3; ++count)
    {
        auto answer = co_await ask(port, "/");
        sent += answer.size();
    }

    auto counted = [&]
    {
        auto traffic = workers.stats().traffic;
        return traffic.requests == 3 && traffic.open_connections == 0;
    };
    auto all = co_await brood::test::eventually(5s, counted);
    CHECK(all);
    auto traffic = workers.stats().traffic;
    CHECK(traffic.connections == 3);
    CHECK(traffic.failed_requests == 0);
    CHECK(traffic.open_requests == 0);
    CHECK(traffic.bytes_sent == sent);
    CHECK(traffic.bytes_received == 3 * std::string("GET / HTTP/1.0\r\n\r\n").size());
    co_await workers.stop();
}
