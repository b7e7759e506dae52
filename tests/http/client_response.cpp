// SPDX-License-Identifier: BSL-1.0
#include <brood/http/client_response.hpp>

#include <brood/base/loop.hpp>
#include <brood/http/client.hpp>

#include "support/http_failure.hpp"
#include "support/http_servers.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <sys/socket.h>

#include <string>
#include <vector>

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

// Answers the first request with this, and closes.
raw_server::script once(std::string answer)
{
    return [answer](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await peer.send(answer);
    };
}

const std::string head = "HTTP/1.1 200 OK\r\n";

} // namespace

TEST_WITHIN(5s, "a response is read as it comes, with the fields behind its body", "[http]")
{
    raw_server server(head + "Transfer-Encoding: chunked\r\nSet-Cookie: a\r\n"
                             "Set-Cookie: b\r\n\r\n3\r\none\r\n3;x=y\r\ntwo\r\n"
                             "0\r\nX-Sum: 6\r\n\r\n");
    http::client client;
    auto response = co_await client.send(http::client_request(server.url()));
    CHECK(response.status() == 200);
    CHECK(response.reason() == "OK");
    CHECK(response.version() == 11);
    CHECK(response.headers().all("set-cookie").size() == 2);
    CHECK(!response.content_length());
    CHECK(!response.complete());

    std::string body;
    while (auto piece = co_await response.chunk())
        body += *piece;

    CHECK(body == "onetwo");
    CHECK(response.complete());
    CHECK(response.trailers().find("x-sum") == "6");
    CHECK(client.idle() == 1);
    auto behind = co_await response.chunk();
    CHECK(!behind);
}

TEST_WITHIN(10s, "a response that comes byte by byte is one response", "[http]")
{
    auto slowly = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        std::string all = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + head +
                          "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        for (auto byte : all)
        {
            co_await peer.send(std::string(1, byte));
            co_await brood::sleep(0ms);
        }
        co_await peer.stay();
    };
    raw_server server(slowly);
    http::client client;
    auto answer = co_await client.get(server.url());
    CHECK(answer.body == "ab");
    CHECK(client.idle() == 1);
}

TEST_WITHIN(5s, "a body without a length ends with its connection", "[http]")
{
    for (std::string body : {"all of it", ""})
    {
        raw_server server(once("HTTP/1.0 200 OK\r\n\r\n" + body));
        http::client client;
        auto answer = co_await client.get(server.url());
        CHECK(answer.body == body);
        CHECK(client.idle() == 0);
    }
}

TEST_WITHIN(5s, "HEAD, 204 and 304 have no body, whatever their head says", "[http]")
{
    http::client client;
    raw_server length(head + "Content-Length: 1000\r\n\r\n");
    raw_server chunks(head + "Transfer-Encoding: chunked\r\n\r\n");
    for (auto& url : {length.url(), chunks.url()})
    {
        http::client_request request("HEAD", url);
        auto response = co_await client.send(request);
        CHECK(response.complete());
        auto body = co_await response.body();
        CHECK(body.empty());
    }
    raw_server empty("HTTP/1.1 204 No Content\r\n\r\n");
    raw_server same("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n");
    for (auto& url : {empty.url(), same.url()})
    {
        auto answer = co_await client.get(url);
        CHECK(answer.body.empty());
    }
    CHECK(client.idle() == 4);
}

TEST_WITHIN(5s, "interim responses are skipped, and early hints remembered", "[http]")
{
    raw_server server("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                      "HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n" +
                      head + "Content-Length: 2\r\n\r\nok");
    http::client client;
    auto response = co_await client.send(http::client_request(server.url()));
    auto body = co_await response.body();

    CHECK(response.status() == 200);
    CHECK(body == "ok");
    CHECK(!response.header("Link"));
    CHECK(response.early_hints().all("Link").size() == 2);
}

TEST_WITHIN(20s, "a server of brood's sends early hints and long bodies", "[http]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        http::fields hints;
        hints.add("Link", "</a.css>");
        co_await response.early_hints(hints);
        std::string piece(100'000, 'x');
        for (int count = 0; count < 100; ++count)
            co_await response.write(piece);
    };
    running_server server(handler);
    http::client client;
    auto response = co_await client.send(http::client_request(server.url()));
    CHECK(response.early_hints().find("link") == "</a.css>");
    std::size_t size = 0;
    while (auto piece = co_await response.chunk())
        size += piece->size();
    CHECK(size == 10'000'000);
    CHECK(client.idle() == 1);
}

TEST_WITHIN(5s, "a response that is cut off is told from one that is whole", "[http]")
{
    for (std::string part :
         {"H", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\n",
          "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"})
    {
        INFO(part);
        raw_server server(once(part));
        http::client client;
        auto failed = co_await failure_of(client, http::client_request(server.url("/part")));
        CHECK(failed.code == brood::errc::closed);
        CHECK_THAT(failed.text, ContainsSubstring("GET " + server.url("/part")));
        CHECK_THAT(failed.text, ContainsSubstring("before the response was complete"));
        CHECK(client.idle() == 0);
    }
}

TEST_WITHIN(5s, "a connection that is reset cuts the response off", "[http]")
{
    for (std::string part : {"", "HTTP/1.1 200 OK\r\n\r\nno length"})
    {
        auto reset = [part](raw_peer& peer) -> task<>
        {
            co_await peer.read_until();
            co_await peer.send(part);
            co_await brood::sleep(20ms);
            peer.socket().set_option(asio::socket_base::linger(true, 0));
            peer.close();
        };
        raw_server server(reset);
        auto failed = co_await failure_of(http::client(), http::client_request(server.url()));
        CHECK(failed.code == brood::errc::closed);
    }
}

TEST_WITHIN(10s, "what is no response is malformed", "[http]")
{
    for (std::string wrong :
         {"garbage\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/2.0 200 OK\r\n\r\n",
          "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
          "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
          "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nmuch longer\r\n"})
    {
        INFO(wrong);
        auto answer = [wrong](raw_peer& peer) -> task<>
        {
            co_await peer.read_until();
            co_await peer.send(wrong);
            co_await peer.stay();
        };
        raw_server server(answer);
        http::client client;
        auto failed = co_await failure_of(client, http::client_request(server.url()));
        CHECK(failed.code == brood::errc::malformed);
        CHECK_THAT(failed.text, ContainsSubstring("GET " + server.url()));
        CHECK(client.idle() == 0);
    }
}

TEST_WITHIN(5s, "interim responses without end are malformed, and so is another protocol", "[http]")
{
    std::string many;
    for (int count = 0; count < 200; ++count)
        many += "HTTP/1.1 102 Processing\r\n\r\n";
    for (auto answer : {many, std::string("HTTP/1.1 101 Switching Protocols\r\n"
                                          "Connection: Upgrade\r\nUpgrade: x\r\n\r\n")})
    {
        raw_server server(answer);
        auto failed = co_await failure_of(http::client(), http::client_request(server.url()));
        CHECK(failed.code == brood::errc::malformed);
    }
}

TEST_WITHIN(5s, "a response that has failed goes on failing", "[http]")
{
    raw_server server(once(head + "Content-Length: 10\r\n\r\nhalf"));
    http::client client;
    auto response = co_await client.send(http::client_request(server.url()));
    auto piece = co_await response.chunk();
    CHECK(piece == "half");
    for (int count = 0; count < 2; ++count)
    {
        auto failed = co_await failure_of(response.chunk());
        CHECK(failed.code == brood::errc::closed);
    }
}

TEST_WITHIN(5s, "reading that is cancelled is no end of the body, and closes the connection",
            "[http]")
{
    auto endless = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await peer.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
        co_await peer.stay();
    };
    raw_server server(endless);
    http::client client;
    auto response = co_await client.send(http::client_request(server.url()));
    co_await response.chunk();
    asio::cancellation_signal cancel;
    std::exception_ptr thrown;
    auto note = [&thrown](std::exception_ptr failed, std::string)
    {
        thrown = failed;
    };
    auto executor = brood::default_executor();
    asio::co_spawn(executor, response.body(), asio::bind_cancellation_slot(cancel.slot(), note));
    co_await brood::sleep(10ms);
    CHECK(!thrown);

    cancel.emit(asio::cancellation_type::terminal);

    auto closed = co_await eventually(2s, [&] { return server.open() == 0; });
    CHECK(closed);
    REQUIRE(thrown);
    CHECK_THROWS_AS(std::rethrow_exception(thrown), std::system_error);
    auto failed = co_await failure_of(response.chunk());
    CHECK(failed.code == brood::errc::closed);
    CHECK_THAT(failed.text, ContainsSubstring("cancelled"));
}

TEST_WITHIN(5s, "body() refuses more than its limit", "[http]")
{
    raw_server server(head + "Content-Length: 6\r\n\r\nlonger");
    http::client client;
    auto response = co_await client.send(http::client_request(server.url()));
    auto failed = co_await failure_of(response.body(5));
    CHECK(failed.code == brood::errc::too_large);
    CHECK_THAT(failed.text, ContainsSubstring("5 bytes"));
}
