// SPDX-License-Identifier: BSL-1.0
#include <brood/http/upload.hpp>

#include <brood/base/loop.hpp>
#include <brood/http/client.hpp>

#include "support/http_failure.hpp"
#include "support/http_servers.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brood::task;
using brood::test::eventually;
using brood::test::failure_of;
using brood::test::raw_peer;
using brood::test::raw_server;
using brood::test::running_server;
using Catch::Matchers::ContainsSubstring;
namespace http = brood::http;

namespace
{

// Answers with what comes, as it comes.
task<> stream_back(http::request& request, http::response& response)
{
    response.set("X-Length", request.header("Content-Length").value_or("unknown"));
    while (auto piece = co_await request.chunk())
        co_await response.write(*piece);
}

http::client_request post(std::string url)
{
    return http::client_request("POST", std::move(url));
}

} // namespace

TEST_WITHIN(5s, "a body is sent in chunks, and its connection kept", "[http]")
{
    running_server server(stream_back);
    http::client client;
    for (int count = 0; count < 3; ++count)
    {
        auto upload = co_await client.upload(post(server.url()));
        for (std::string piece : {"one, ", "", "two, "})
        {
            auto sent = co_await upload.write(piece);
            CHECK(sent);
        }
        auto sent = co_await upload.end("three");
        CHECK(sent);
        auto response = co_await upload.response();
        auto body = co_await response.body();
        CHECK(body == "one, two, three");
        CHECK(response.header("X-Length") == "unknown");
    }
    CHECK(client.idle() == 1);
    CHECK(server.server.connections() == 1);
}

TEST_WITHIN(5s, "a body of a known length is sent as it is", "[http]")
{
    running_server server(stream_back);
    http::client client;
    auto request = post(server.url());
    request.set("Content-Length", "9");
    auto upload = co_await client.upload(request);
    co_await upload.write("one, ");
    co_await upload.write("two,");
    co_await upload.end();
    auto response = co_await upload.response();
    auto body = co_await response.body();
    CHECK(body == "one, two,");
    CHECK(response.header("X-Length") == "9");
    CHECK(client.idle() == 1);
}

TEST_WITHIN(5s, "the promise of a Content-Length is kept", "[http]")
{
    running_server server(stream_back);
    http::client client;
    auto request = post(server.url());
    request.set("Content-Length", "4");
    auto upload = co_await client.upload(request);
    CHECK_THROWS_AS(upload.write("longer"), std::logic_error);
    CHECK_THROWS_AS(upload.end("two"), std::logic_error);
    co_await upload.write("c");
    CHECK_THROWS_AS(upload.end(), std::logic_error);

    auto chunked = co_await client.upload(post(server.url()));
    co_await chunked.end();
    CHECK_THROWS_AS(chunked.write("more"), std::logic_error);
    CHECK_THROWS_AS(chunked.end(), std::logic_error);
    co_await chunked.response();
    CHECK_THROWS_AS(chunked.response(), std::logic_error);

    http::client_request whole("POST", server.url(), "the body");
    CHECK_THROWS_AS(client.upload(whole), std::invalid_argument);

    request.set("Content-Length", "four");
    bool refused = false;
    try
    {
        co_await client.upload(request);
    }
    catch (const std::invalid_argument&)
    {
        refused = true;
    }
    CHECK(refused);
}

TEST_WITHIN(10s, "a server that answers before the end is heard", "[http]")
{
    auto refuse = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
        co_await peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\n");
        co_await peer.send("much");
        while (peer.socket().is_open())
            co_await brood::sleep(10ms); // and does not read
    };
    raw_server server(refuse);
    http::client client;
    auto upload = co_await client.upload(post(server.url()));
    std::string piece(1'000'000, 'x');
    int sent = 0;
    while (true)
    {
        auto more = co_await upload.write(piece);
        if (!more)
            break;
        ++sent;
    }
    CHECK(sent < 50);

    auto response = co_await upload.response();
    auto body = co_await response.body();

    CHECK(response.status() == 413);
    CHECK(body == "much");
    CHECK(client.idle() == 0);
}

TEST_WITHIN(10s, "a connection is not kept when the answer came before the end of the request",
            "[http]")
{
    auto early = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        co_await peer.stay();
    };
    raw_server server(early);
    http::client client;
    for (std::size_t round = 1; round <= 3; ++round)
    {
        auto upload = co_await client.upload(post(server.url()));
        co_await upload.write("a");
        auto response = co_await upload.response();
        auto body = co_await response.body();
        CHECK(body == "ok");
        CHECK(client.idle() == 0); // what is sent next on it would be more of this body
        CHECK(server.connections() == round);
    }
    CHECK(client.idle() == 0);

    auto deaf = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        while (peer.socket().is_open())
            co_await brood::sleep(10ms); // and does not read
    };
    raw_server other(deaf);
    http::client_request refused("POST", other.url(), std::string(20'000'000, 'x'));
    auto answer = co_await client.fetch(refused);
    CHECK(answer.body == "ok");
    CHECK(client.idle() == 0);
}

TEST_WITHIN(10s, "a whole body that a server does not want ends with the server's answer", "[http]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.status(403);
        co_await response.end("no");
    };
    running_server server(handler);
    http::client client;
    http::client_request request("POST", server.url(), std::string(20'000'000, 'x'));
    auto answer = co_await client.fetch(request);
    CHECK(answer.status == 403);
    CHECK(answer.body == "no");
    CHECK(client.idle() == 0);
}

TEST_WITHIN(20s, "a body is sent while the response is read", "[http]")
{
    constexpr std::size_t pieces = 200;
    running_server server(stream_back);
    http::client client;
    auto upload = co_await client.upload(post(server.url()));
    std::size_t echoed = 0;
    bool over = false;
    auto read = [](http::upload& of, std::size_t& count) -> task<>
    {
        auto response = co_await of.response();
        while (auto piece = co_await response.chunk())
            count += piece->size();
    };
    auto executor = brood::default_executor();
    asio::co_spawn(executor, read(upload, echoed),
                   [&](std::exception_ptr failed) { over = !failed; });
    co_await brood::sleep(0ms);
    std::string piece(100'000, 'x');
    for (std::size_t count = 0; count < pieces; ++count)
    {
        auto sent = co_await upload.write(piece);
        REQUIRE(sent);
    }
    co_await upload.end();

    auto ended = co_await eventually(10s, [&] { return over; });

    CHECK(ended);
    CHECK(echoed == pieces * piece.size());
    CHECK(client.idle() == 1);
}

TEST_WITHIN(20s, "reading that begins while a piece waits for room disturbs neither", "[http]")
{
    running_server server(stream_back);
    http::client client;
    auto upload = co_await client.upload(post(server.url()));
    std::string piece(30'000'000, 'x');
    std::optional<bool> sent;
    auto write = [](http::upload& to, const std::string& text, std::optional<bool>& done) -> task<>
    {
        done = co_await to.end(text);
    };
    auto executor = brood::default_executor();
    asio::co_spawn(executor, write(upload, piece, sent), asio::detached);
    auto response = co_await upload.response();
    std::size_t echoed = 0;
    while (auto part = co_await response.chunk())
        echoed += part->size();
    CHECK(echoed == piece.size());
    CHECK(sent == true);
}

TEST_WITHIN(20s, "a body is sent while the response is read by one who takes time for each piece",
            "[http]")
{
    constexpr std::size_t size = 10'000'000;
    running_server server(stream_back);
    http::client client;
    auto upload = co_await client.upload(post(server.url()));
    std::size_t echoed = 0;
    bool over = false;
    auto read = [](http::upload& of, std::size_t& count) -> task<>
    {
        auto response = co_await of.response();
        while (auto piece = co_await response.chunk())
        {
            co_await brood::sleep(5ms);
            count += static_cast<std::size_t>(std::count(piece->begin(), piece->end(), 'x'));
        }
    };
    asio::co_spawn(brood::default_executor(), read(upload, echoed),
                   [&](std::exception_ptr) { over = true; });
    auto all = co_await upload.write(std::string(size, 'x'));
    CHECK(all);
    if (all)
        co_await upload.end();
    else
        server.server.close_all();

    co_await eventually(10s, [&] { return over; });

    CHECK(echoed == size);
}

TEST_WITHIN(10s, "a server that closes in the middle is noticed, and the response says so",
            "[http]")
{
    auto leave = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
    };
    raw_server server(leave);
    http::client client;
    auto upload = co_await client.upload(post(server.url("/up")));
    std::string piece(1'000'000, 'x');
    while (true)
    {
        auto more = co_await upload.write(piece);
        if (!more)
            break;
    }
    auto failed = co_await failure_of(upload.response());
    CHECK(failed.code == brood::errc::closed);
    CHECK_THAT(failed.text, ContainsSubstring("POST " + server.url("/up")));
}

TEST_WITHIN(20s, "a response is not whole because the time for its request is over", "[http]")
{
    raw_server server(
        [](raw_peer& peer) -> task<>
        {
            co_await peer.read_until();
            co_await peer.send("HTTP/1.1 200 OK\r\n\r\nhalf");
            co_await brood::sleep(10s);
        });
    http::client_options options;
    options.idle_timeout = 300ms;
    http::client client(options);
    auto upload = co_await client.upload(post(server.url()));
    auto write = [](http::upload& to) -> task<>
    {
        co_await to.write(std::string(50'000'000, 'x'));
    };
    auto read = [](http::upload& of, bool& whole) -> task<>
    {
        auto response = co_await of.response();
        auto body = co_await response.body();
        whole = body == "half";
    };
    bool whole = false;
    int over = 0;
    auto ended = [&](std::exception_ptr)
    {
        ++over;
    };
    asio::co_spawn(brood::default_executor(), write(upload), ended);
    asio::co_spawn(brood::default_executor(), read(upload, whole), ended);

    co_await eventually(10s, [&] { return over == 2; });

    CHECK_FALSE(whole);
}

TEST_WITHIN(5s, "an upload that is dropped cuts the request off", "[http]")
{
    std::string got;
    bool cut_off = false;
    auto handler = [&](http::request& request, http::response&) -> task<>
    {
        try
        {
            while (auto piece = co_await request.chunk())
                got += *piece;
        }
        catch (const http::refusal&)
        {
            cut_off = true;
        }
    };
    running_server server(handler);
    http::client client;
    {
        auto upload = co_await client.upload(post(server.url()));
        co_await upload.write("half");
        auto arrived = co_await eventually(2s, [&] { return got == "half"; });
        CHECK(arrived);
    }
    auto noticed = co_await eventually(2s, [&] { return cut_off; });
    CHECK(noticed);
    CHECK(client.idle() == 0);
}

TEST_WITHIN(5s, "a request in pieces is not sent again", "[http]")
{
    auto once = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        co_await peer.read_until();
    };
    raw_server server(once);
    http::client client;
    co_await client.get(server.url());
    auto upload = co_await client.upload(http::client_request("PUT", server.url()));
    co_await upload.end("all");
    auto failed = co_await failure_of(upload.response());
    CHECK(failed.code == brood::errc::closed);
    CHECK_THAT(failed.text, ContainsSubstring("in pieces"));
    CHECK(server.connections() == 1);
}

TEST_WITHIN(5s, "a server that asks for the body with 100 Continue gets it", "[http]")
{
    running_server server(stream_back);
    http::client client;
    auto request = post(server.url());
    request.set("Expect", "100-continue");
    auto upload = co_await client.upload(request);
    co_await upload.end("the body");
    auto response = co_await upload.response();
    auto body = co_await response.body();
    CHECK(response.status() == 200);
    CHECK(body == "the body");
}
