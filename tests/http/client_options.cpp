// SPDX-License-Identifier: BSL-1.0
#include <brood/http/client_options.hpp>

#include <brood/base/loop.hpp>
#include <brood/http/client.hpp>

#include "support/http_failure.hpp"
#include "support/http_servers.hpp"
#include "support/within.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using brood::task;
using brood::test::failure_of;
using brood::test::raw_peer;
using brood::test::raw_server;
using Catch::Matchers::ContainsSubstring;
namespace http = brood::http;

namespace
{

task<> say_nothing(raw_peer& peer)
{
    co_await peer.stay();
}

// Half a response, then silence.
task<> stop_in_the_body(raw_peer& peer)
{
    co_await peer.read_until();
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    co_await peer.stay();
}

// A byte of the body every 10 ms, for ever.
task<> trickle(raw_peer& peer)
{
    co_await peer.read_until();
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (peer.socket().is_open())
    {
        co_await peer.send("x");
        co_await brood::sleep(10ms);
    }
}

http::client_options with(std::chrono::milliseconds http::client_options::*time,
                          std::chrono::milliseconds value)
{
    http::client_options options;
    options.*time = value;
    return options;
}

const auto connect_timeout = &http::client_options::connect_timeout;
const auto response_timeout = &http::client_options::response_timeout;
const auto idle_timeout = &http::client_options::idle_timeout;
const auto total_timeout = &http::client_options::total_timeout;
const auto keep_alive_timeout = &http::client_options::keep_alive_timeout;

} // namespace

TEST_WITHIN(5s, "a server that does not answer is waited for so long", "[http]")
{
    raw_server server(say_nothing);
    http::client client(with(response_timeout, 50ms));
    auto failed = co_await failure_of(client, http::client_request(server.url("/slow")));
    CHECK(failed.code == brood::errc::timed_out);
    CHECK_THAT(failed.text, ContainsSubstring("GET " + server.url("/slow")));
    CHECK_THAT(failed.text, ContainsSubstring("waiting for the response"));
    CHECK_THAT(failed.text, ContainsSubstring("50 ms"));
    CHECK(client.idle() == 0);
}

TEST_WITHIN(5s, "a body that stops is waited for so long", "[http]")
{
    raw_server server(stop_in_the_body);
    http::client client(with(idle_timeout, 50ms));
    auto failed = co_await failure_of(client, http::client_request(server.url()));
    CHECK(failed.code == brood::errc::timed_out);
    CHECK_THAT(failed.text, ContainsSubstring("reading the body"));
    CHECK_THAT(failed.text, ContainsSubstring("50 ms"));
}

TEST_WITHIN(5s, "a body that trickles is not idle, but has to be over in the total time", "[http]")
{
    raw_server server(trickle);
    auto options = with(total_timeout, 200ms);
    options.idle_timeout = 150ms;
    http::client client(options);
    auto failed = co_await failure_of(client, http::client_request(server.url()));
    CHECK(failed.code == brood::errc::timed_out);
    CHECK_THAT(failed.text, ContainsSubstring("reading the body"));
    CHECK_THAT(failed.text, ContainsSubstring("200 ms"));
}

TEST_WITHIN(5s, "the total time holds for each step", "[http]")
{
    raw_server server(say_nothing);
    http::client client(with(total_timeout, 50ms));
    auto failed = co_await failure_of(client, http::client_request(server.url()));
    CHECK(failed.code == brood::errc::timed_out);
    CHECK_THAT(failed.text, ContainsSubstring("waiting for the response"));
}

TEST_WITHIN(5s, "a server that does not read makes no room, and is waited for so long", "[http]")
{
    auto ignore = [](raw_peer&) -> task<>
    {
        co_await brood::sleep(1h);
    };
    raw_server server(ignore);
    http::client client(with(idle_timeout, 50ms));
    http::client_request request("POST", server.url(), std::string(20'000'000, 'x'));
    auto failed = co_await failure_of(client, request);
    CHECK(failed.code == brood::errc::timed_out);
    CHECK_THAT(failed.text, ContainsSubstring("sending the request"));
}

TEST_WITHIN(5s, "an address that does not answer is waited for so long", "[http]")
{
    // Nobody accepts, and the queue is full: the kernel drops what comes.
    auto executor = brood::default_executor();
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor acceptor(executor, asio::ip::tcp::v4());
    acceptor.bind(any);
    acceptor.listen(0);
    std::vector<asio::ip::tcp::socket> waiting;
    waiting.reserve(4);
    for (int count = 0; count < 4; ++count)
    {
        auto& socket = waiting.emplace_back(executor, asio::ip::tcp::v4());
        socket.async_connect(acceptor.local_endpoint(), [](std::error_code) {});
    }
    http::client client(with(connect_timeout, 50ms));
    auto url = brood::test::url_of(acceptor);
    auto failed = co_await failure_of(client, http::client_request(url));
    CHECK(failed.code == brood::errc::timed_out);
    CHECK_THAT(failed.text, ContainsSubstring("connecting to 127.0.0.1:"));
    CHECK_THAT(failed.text, ContainsSubstring("50 ms"));
}

TEST_WITHIN(5s, "a time of zero is no limit", "[http]")
{
    auto later = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await brood::sleep(30ms);
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        co_await brood::sleep(30ms);
        co_await peer.send("ok");
    };
    raw_server server(later);
    http::client_options options;
    options.connect_timeout = options.response_timeout = options.idle_timeout = 0ms;
    auto port = server.url("").substr(server.url("").rfind(':'));
    for (auto& url : {server.url(), "http://localhost" + port})
    {
        auto answer = co_await http::get(url, options);
        CHECK(answer.body == "ok");
    }
}

TEST_WITHIN(5s, "a connection that is too old is not used again", "[http]")
{
    raw_server server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    http::client client(with(keep_alive_timeout, 30ms));
    co_await client.get(server.url());
    CHECK(client.idle() == 1);
    co_await brood::sleep(40ms);
    co_await client.get(server.url());
    CHECK(server.connections() == 2);
    CHECK(client.idle() == 1);
}

TEST_WITHIN(5s, "a server says how long it keeps a connection", "[http]")
{
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    raw_server soon(head + "Keep-Alive: timeout=1\r\n\r\n");
    raw_server never(head + "Keep-Alive: timeout=0\r\n\r\n");
    raw_server later(head + "Keep-Alive: max=7, timeout=60, x=y\r\n\r\n");
    raw_server mumbling(head + "Keep-Alive: timeout=soon\r\n\r\n");
    http::client client;
    co_await client.get(soon.url());
    co_await client.get(never.url());
    CHECK(client.idle() == 0);
    co_await client.get(later.url());
    co_await client.get(mumbling.url());
    CHECK(client.idle() == 2);
}

TEST_WITHIN(5s, "nothing is kept when nothing may be", "[http]")
{
    raw_server server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    http::client_options options;
    options.max_idle_per_host = 0;
    http::client client(options);
    co_await client.get(server.url());
    CHECK(client.idle() == 0);
}

TEST_CASE("a head that is too long is refused, and so is one of too many fields", "[http]")
{
    within(
        5s,
        []() -> task<>
        {
            http::client_options options;
            options.max_header_size = 1'000;
            options.max_header_count = 10;
            std::string many = "HTTP/1.1 200 OK\r\n";
            for (int count = 0; count < 11; ++count)
                many += "a: b\r\n";
            for (auto head : {"HTTP/1.1 200 OK\r\nlong: " + std::string(2'000, 'x'), many + "\r\n"})
            {
                raw_server server(head);
                http::client client(options);
                auto failed = co_await failure_of(client, http::client_request(server.url()));
                CHECK(failed.code == brood::errc::too_large);
                CHECK_THAT(failed.text, ContainsSubstring(server.url()));
            }
        });
}

TEST_WITHIN(5s, "a body that is too long is refused, with a length and in chunks", "[http]")
{
    http::client_options options;
    options.max_body = 10;
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (auto response : {head + "Content-Length: 11\r\n\r\n",
                          head + "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n"})
    {
        raw_server server(response);
        http::client client(options);
        auto failed = co_await failure_of(client, http::client_request(server.url()));
        CHECK(failed.code == brood::errc::too_large);
    }
    raw_server server(head + "Content-Length: 11\r\n\r\n");
    http::client client(options);
    http::client_request request("HEAD", server.url());
    auto answer = co_await client.fetch(request);
    CHECK(answer.status == 200);
}

TEST_WITHIN(10s, "a whole body has at most 1 MiB, unless more is allowed", "[http]")
{
    auto large = [](http::request&, http::response& response) -> task<>
    {
        std::string body(2U << 20, 'x');
        co_await response.end(body);
    };
    brood::test::running_server server(large);
    auto failed = co_await failure_of(http::client(), http::client_request(server.url()));
    CHECK(failed.code == brood::errc::too_large);

    http::client_options options;
    options.max_body = 2U << 20;
    auto answer = co_await http::get(server.url(), options);
    CHECK(answer.body.size() == 2U << 20);
}
