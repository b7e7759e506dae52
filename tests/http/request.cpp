// SPDX-License-Identifier: BSL-1.0
#include <brood/http/request.hpp>

#include <brood/base/loop.hpp>
#include <brood/http/server.hpp>

#include "support/client.hpp"
#include "support/own_memory.hpp"
#include "support/raw_client.hpp"
#include "support/within.hpp"

#include <asio/write.hpp>

#include <asio/experimental/awaitable_operators.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using brood::task;
using brood::test::raw_client;
using brood::test::raw_response;
namespace http = brood::http;

namespace
{

const std::string chunked = "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string post(const std::string& body)
{
    return "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

// What the handler answers to one request.
task<raw_response> answer_to(std::string request, http::handler handler)
{
    http::server server(std::move(handler));
    raw_client client(server);
    co_await client.send(std::move(request));
    auto answer = co_await client.response();
    co_return *answer;
}

task<> path_and_query(http::request& request, http::response& response)
{
    auto text = request.path();
    for (auto& [name, value] : request.query())
        text += '|' + name + '=' + value;
    co_await response.end(text);
}

// Counts the pieces, and puts them together.
class pieces
{
public:
    std::size_t count = 0;
    std::string whole;

    http::handler handler()
    {
        return [this](http::request& request, http::response& response) -> task<>
        {
            while (auto piece = co_await request.chunk())
            {
                CHECK(!piece->empty());
                whole += *piece;
                ++count;
            }
            co_await response.end(whole);
        };
    }
};

} // namespace

TEST_WITHIN(5s, "a request is what the client sent", "[http_request]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        CHECK(request.method() == "PaTcH");
        CHECK(request.target() == "/a%20b/c?d=e");
        CHECK(request.version() == 11);
        CHECK(request.headers().size() == 3);
        CHECK(request.header("x-twice") == "one");
        CHECK(request.headers().all("X-Twice").size() == 2);
        CHECK(!request.header("none"));
        CHECK(!request.wants_upgrade());
        CHECK(!request.content_length());
        CHECK(request.complete());
        co_await response.end();
    };

    auto answer = co_await answer_to(
        "PaTcH /a%20b/c?d=e HTTP/1.1\r\nHost: b\r\nX-Twice: one\r\nx-twice: two\r\n\r\n", handler);

    CHECK(answer.status == 200);
}

TEST_WITHIN(5s, "a version is 11 or 10", "[http_request]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        co_await response.end(std::to_string(request.version()));
    };

    auto answer = co_await answer_to("GET / HTTP/1.0\r\n\r\n", handler);

    CHECK(answer.body == "10");
}

TEST_WITHIN(5s, "path and query are decoded, in any form of target", "[http_request]")
{
    for (auto [target, expected] : {
             std::pair("/a%20b/%C3%A4+c", "/a b/\xc3\xa4+c"),
             std::pair("/?a=1&b=%26+&a=2&c", "/|a=1|b=& |a=2|c="),
             std::pair("http://other/a?b", "/a|b="),
             std::pair("http://other?b", "/|b="),
             std::pair("/a?b?c=/&&d", "/a|b?c=/|d="),
         })
    {
        auto request = std::string("GET ") + target + " HTTP/1.1\r\nHost: b\r\n\r\n";
        auto answer = co_await answer_to(request, path_and_query);
        CHECK(answer.body == expected);
    }
}

TEST_WITHIN(5s, "the value of a name in the query is its first", "[http_request]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        CHECK(request.query("page") == "2");
        CHECK(request.query("a b") == "");
        CHECK(!request.query("none"));
        CHECK(!request.query("bad"));
        co_await response.end();
    };

    auto answer =
        co_await answer_to("GET /?page=2&page=3&a+b&bad=%zz HTTP/1.1\r\nHost: b\r\n\r\n", handler);

    CHECK(answer.status == 200);
}

TEST_WITHIN(5s, "a path or query that cannot be decoded gets 400, and the connection goes on",
            "[http_request]")
{
    http::server server(path_and_query);
    raw_client client(server);
    for (std::string target : {"/%", "/%f", "/%zz", "/%00", "/?%", "/?a=%zz", "/?a=%00"})
    {
        co_await client.send("GET " + target + " HTTP/1.1\r\nHost: b\r\n\r\n");
        auto answer = co_await client.response();
        CHECK(answer->status == 400);
        CHECK(answer->header("Connection") == "keep-alive");
    }
}

TEST_WITHIN(5s, "both ends of the connection are known", "[http_request]")
{
    std::optional<asio::ip::tcp::endpoint> local, remote;
    auto known = [](const http::request::endpoint_type& from)
    {
        asio::ip::tcp::endpoint endpoint;
        std::memcpy(endpoint.data(), from.data(), from.size());
        return endpoint;
    };
    auto handler = [&](http::request& request, http::response& response) -> task<>
    {
        local = known(request.local_endpoint());
        remote = known(request.remote_endpoint());
        co_await response.end();
    };
    http::server server(handler);
    auto executor = brood::default_executor();
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor acceptor(executor, any);
    auto at = acceptor.local_endpoint();
    auto client = co_await brood::test::connect_to(at.port());
    auto accepted = co_await acceptor.async_accept(asio::use_awaitable);
    server.adopt(std::move(accepted));
    std::string request = "GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
    co_await asio::async_write(client, asio::buffer(request), asio::use_awaitable);
    auto from = client.local_endpoint();
    co_await brood::test::read_all(std::move(client));

    CHECK(local == at);
    CHECK(remote == from);
}

TEST_WITHIN(5s, "a wish for an upgrade is seen, and need not be granted", "[http_request]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        std::string_view wish = request.wants_upgrade() ? "yes" : "no";
        co_await response.end(wish);
    };
    http::server server(handler);
    raw_client client(server);
    for (std::string expected : {"yes", "no"})
    {
        std::string upgrade = expected == "yes" ? "Upgrade: h2c\r\n" : "";
        co_await client.send("GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n" + upgrade +
                             "\r\n");
        auto answer = co_await client.response();
        CHECK(answer->status == 200);
        CHECK(answer->body == expected);
    }
}

// ---- The body

TEST_WITHIN(5s, "a body comes piece by piece, and then nothing more", "[http_request]")
{
    std::vector<std::string> seen;
    auto handler = [&](http::request& request, http::response& response) -> task<>
    {
        CHECK(request.content_length() == 6);
        CHECK(!request.complete());
        while (auto piece = co_await request.chunk())
            seen.emplace_back(*piece);
        CHECK(request.complete());
        auto behind = co_await request.chunk();
        CHECK(!behind);
        auto rest = co_await request.body();
        CHECK(rest == "");
        co_await response.end();
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 6\r\n\r\nab");
    co_await brood::test::eventually(5s, [&] { return seen.size() == 1; });
    co_await client.send("cdef");

    auto answer = co_await client.response();

    CHECK(answer->status == 200);
    CHECK(seen == std::vector<std::string>{"ab", "cdef"});
}

TEST_WITHIN(5s, "a piece comes before the chunk that it is part of is complete", "[http_request]")
{
    pieces seen;
    http::server server(seen.handler());
    raw_client client(server);
    co_await client.send(chunked + "a\r\n012");
    co_await brood::test::eventually(5s, [&] { return seen.whole == "012"; });
    co_await client.send("3456789\r\n0\r\n\r\n");

    auto answer = co_await client.response();

    CHECK(answer->body == "0123456789");
}

TEST_WITHIN(5s, "a body that has no bytes has no pieces", "[http_request]")
{
    for (const auto& request :
         {post(""), chunked + "0\r\n\r\n", std::string("GET / HTTP/1.0\r\n\r\n")})
    {
        pieces seen;
        auto answer = co_await answer_to(request, seen.handler());
        CHECK(answer.status == 200);
        CHECK(seen.count == 0);
    }
}

TEST_WITHIN(5s, "body() takes as much as its limit, with a length and in chunks", "[http_request]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        auto body = co_await request.body(10);
        co_await response.end(body);
    };
    for (const auto& request :
         {post("0123456789"), chunked + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"})
    {
        auto answer = co_await answer_to(request, handler);
        CHECK(answer.body == "0123456789");
    }
    for (const auto& request :
         {post("0123456789a"), chunked + "5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n",
          std::string("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 11\r\n\r\n")})
    {
        auto answer = co_await answer_to(request, handler);
        CHECK(answer.status == 413);
        CHECK(answer.header("Connection") == "keep-alive");
    }
}

TEST_WITHIN(5s, "the fields behind a body are there once it has been read", "[http_request]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        CHECK(request.trailers().empty());
        auto body = co_await request.body();
        auto digest = request.trailers().find("digest").value_or("none");
        CHECK(!request.header("Digest"));
        co_await response.end(digest);
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send(chunked + "1\r\na\r\n0\r\nDigest: b\r\n\r\n" + chunked + "0\r\n\r\n");

    auto first = co_await client.response();
    auto second = co_await client.response();

    CHECK(first->body == "b");
    CHECK(second->body == "none");
}

TEST_WITHIN(60s, "a client is not read faster than its body is taken", "[http_request]")
{
    constexpr std::size_t size = 100'000'000;
    bool go_on = false;
    std::size_t taken = 0;
    auto handler = [&](http::request& request, http::response& response) -> task<>
    {
        while (!go_on)
            co_await brood::sleep(1ms);
        while (auto piece = co_await request.chunk())
            taken += piece->size();
        co_await response.end();
    };
    http::server server(handler);
    raw_client client(server);
    std::size_t sent = 0;
    bool over = false;
    auto send = [&]() -> task<>
    {
        std::string piece(100'000, 'x');
        co_await client.send(
            "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
        auto bytes = asio::buffer(piece);
        for (; sent < size; sent += piece.size())
            co_await asio::async_write(client.socket(), bytes, asio::use_awaitable);
        over = true;
    };
    auto executor = brood::default_executor();
    auto before = brood::test::resident_memory();
    asio::co_spawn(executor, send(), asio::detached);
    co_await brood::test::eventually(5s, [&] { return sent > 0; });
    co_await brood::sleep(50ms);
    auto ahead = sent;
    co_await brood::sleep(50ms);
    CHECK(sent == ahead);
    CHECK(sent < 10'000'000);

    go_on = true;
    auto answer = co_await client.response();
    CHECK(answer->status == 200);
    CHECK(taken == size);
    CHECK(over);
    CHECK(brood::test::resident_memory() < before + 20'000'000);
}

TEST_WITHIN(5s, "a body that is cut off, and one that is malformed, throw a refusal",
            "[http_request]")
{
    for (const auto& request : {chunked + "5\r\nab", chunked + "x\r\n", chunked + "1\r\nab\r\n"})
    {
        unsigned refused = 0;
        auto handler = [&](http::request& from, http::response&) -> task<>
        {
            try
            {
                co_await from.body();
            }
            catch (const http::refusal& why)
            {
                refused = why.status();
                throw;
            }
        };
        http::server server(handler);
        raw_client client(server);
        co_await client.send(request);
        client.end();
        auto answer = co_await client.response();
        CHECK(answer->status == 400);
        CHECK(refused == 400);
    }
}

// ---- 100 Continue

TEST_CASE("100 Continue is sent once, and not to who has begun to send already", "[http_request]")
{
    within(
        5s,
        []() -> task<>
        {
            pieces seen;
            http::server server(seen.handler());
            raw_client client(server);
            std::string head =
                "POST / HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
            co_await client.send(head);
            auto interim = co_await client.response();
            CHECK(interim->status == 100);
            co_await client.send("ab");
            co_await brood::test::eventually(5s, [&] { return seen.whole == "ab"; });
            co_await client.send("cd");
            auto answer = co_await client.response();
            CHECK(answer->status == 200);
            CHECK(answer->body == "abcd");

            seen.whole.clear();
            co_await client.send(head + "efgh");
            auto at_once = co_await client.response();
            CHECK(at_once->status == 200);
            CHECK(at_once->body == "efgh");
        });
}

TEST_WITHIN(5s, "100 Continue is not sent behind the head of the answer, nor for no body",
            "[http_request]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        co_await response.write("begun");
        auto body = co_await request.body();
        co_await response.end(body);
    };
    http::server server(handler);
    raw_client client(server), other(server);
    std::string head = "POST / HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\n";
    co_await other.send(head + "Content-Length: 0\r\n\r\n");
    auto empty = co_await other.response();
    CHECK(empty->status == 200);

    co_await client.send(head + "Content-Length: 4\r\n\r\n");
    co_await brood::sleep(10ms);
    co_await client.send("body");
    client.end();
    auto text = co_await client.read_all();
    CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(text.ends_with("\r\n4\r\nbody\r\n0\r\n\r\n"));
}

TEST_WITHIN(5s, "a client of HTTP/1.0 is told nothing of 100 Continue", "[http_request]")
{
    pieces seen;
    http::server server(seen.handler());
    raw_client client(server);
    co_await client.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    co_await brood::sleep(10ms);
    co_await client.send("body");

    auto answer = co_await client.response();

    CHECK(answer->status == 200);
    CHECK(answer->body == "body");
}

TEST_WITHIN(10s, "a handler can wait for its client to go, also behind something unread", "[http]")
{
    using namespace asio::experimental::awaitable_operators;
    int gone = 0;
    auto handler = [&](http::request& request, http::response&) -> task<>
    {
        auto either = request.gone() || brood::sleep(20s);
        auto which = co_await std::move(either);
        gone += which.index() == 0 ? 1 : 0;
    };
    for (std::string unread : {"", "GET /next HTTP/1.1\r\nHost: b\r\n\r\n"})
    {
        http::server server(handler);
        raw_client client(server);
        co_await client.send("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        co_await brood::sleep(20ms);
        co_await client.send(unread);
        co_await brood::sleep(20ms);
        CHECK(server.connections() == 1);
        auto before = gone;
        client.close();
        co_await server.closed();
        CHECK(gone > before);
    }
}

TEST_WITHIN(5s, "who no longer waits for its client to go reads on where it was", "[http]")
{
    using namespace asio::experimental::awaitable_operators;
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        std::string read;
        auto first = co_await request.chunk();
        read += *first;
        auto either = request.gone() || brood::sleep(20ms);
        co_await std::move(either);
        auto rest = co_await request.body();
        co_await response.end(read + rest);
    };
    http::server server(handler);
    raw_client client(server);
    auto half = "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 6\r\n\r\nabc";
    for (std::string late : {"", "GET / HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\n!"})
    {
        co_await client.send(half);
        auto pause = late.empty() ? 50ms : 5ms; // behind the wait, and within it
        co_await brood::sleep(pause);
        co_await client.send("def" + late);
        auto answer = co_await client.response();
        CHECK(answer->body == "abcdef");
    }
    auto behind = co_await client.response();
    CHECK(behind->body == "!");
}

TEST_WITHIN(5s, "a client that stays is not gone", "[http]")
{
    using namespace asio::experimental::awaitable_operators;
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        auto either = request.gone() || brood::sleep(50ms);
        auto which = co_await std::move(either);
        std::string_view text = which.index() == 0 ? "gone" : "here";
        co_await response.end(text);
    };
    http::server server(handler);
    raw_client client(server);
    for (int count = 0; count < 2; ++count)
    {
        co_await client.send("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        auto answer = co_await client.response();
        CHECK(answer->body == "here");
    }
}
