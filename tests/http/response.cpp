// SPDX-License-Identifier: BSL-1.0
#include <brood/http/response.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/http/server.hpp>

#include "support/client.hpp"
#include "support/http_servers.hpp"
#include "support/own_memory.hpp"
#include "support/raw_client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brood::task;
using brood::test::raw_client;
using brood::test::raw_response;
namespace http = brood::http;

namespace
{

const std::string get = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
const std::string head = "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n";
const std::string old_get = "GET / HTTP/1.0\r\n\r\n";

// Options of a server that tells what its handlers threw.
class heard
{
public:
    std::vector<std::string> errors;

    http::server_options options()
    {
        http::server_options chosen;
        chosen.on_error = [this](const http::request&, std::exception_ptr failed)
        {
            try
            {
                std::rethrow_exception(failed);
            }
            catch (const std::exception& error)
            {
                errors.emplace_back(error.what());
            }
        };
        return chosen;
    }
};

// What a handler answers to a request, and the whole text of it.
task<raw_response> answer_to(std::string request, http::handler handler,
                             http::server_options options = {})
{
    http::server server(std::move(handler), std::move(options));
    raw_client client(server);
    auto to_head = request.starts_with("HEAD");
    co_await client.send(std::move(request));
    auto answer = co_await client.response(to_head);
    co_return *answer;
}

// All that comes until the server closes.
task<std::string> text_to(std::string request, http::handler handler,
                          http::server_options options = {})
{
    http::server server(std::move(handler), std::move(options));
    raw_client client(server);
    co_await client.send(std::move(request));
    client.end();
    auto text = co_await client.read_all();
    co_return text;
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

task<> in_pieces(http::request&, http::response& response)
{
    co_await response.write("one ");
    co_await response.write("");
    co_await response.write("two ");
    co_await response.end("three");
}

// Its file descriptor closes with it.
class opened
{
public:
    explicit opened(const std::string& path) : number(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

    ~opened() { ::close(number); }

    opened(const opened&) = delete;
    opened& operator=(const opened&) = delete;

    const int number;
};

} // namespace

// ---- Status and headers

TEST_WITHIN(5s, "status and headers are sent as they were set", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.status(404).set("X-One", "1").add("Set-Cookie", "a=b");
        response.add("set-cookie", "c=d").set("X-Two", "2").remove("x-one");
        CHECK(response.status() == 404);
        CHECK(response.headers().find("x-two") == "2");
        CHECK(!response.begun());
        co_await response.end("gone");
        CHECK(response.begun());
        CHECK(response.ended());
    };

    auto answer = co_await answer_to(get, handler);

    CHECK(answer.head.starts_with("HTTP/1.1 404 Not Found\r\n"));
    CHECK(has(answer.head, "\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\nX-Two: 2\r\n"));
    CHECK(!answer.header("X-One"));
    CHECK(answer.body == "gone");
}

TEST_WITHIN(5s, "a status that no final response has is refused", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        for (auto status : {0U, 100U, 199U, 1000U})
            CHECK_THROWS_AS(response.status(status), std::invalid_argument);
        response.status(299);
        co_return;
    };

    auto answer = co_await answer_to(get, handler);

    CHECK(answer.status == 299);
}

TEST_WITHIN(5s, "nobody writes a head of their own into a header", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        CHECK_THROWS_AS(response.set("Location", "/\r\nSet-Cookie: a=b"), std::invalid_argument);
        CHECK_THROWS_AS(response.add("X\r\nY", "z"), std::invalid_argument);
        co_return;
    };

    auto answer = co_await answer_to(get, handler);

    CHECK(answer.status == 200);
    CHECK(!answer.header("Set-Cookie"));
}

TEST_WITHIN(5s, "nothing of the head changes once it has been sent", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        co_await response.write("one");
        CHECK_THROWS_AS(response.status(404), std::logic_error);
        CHECK_THROWS_AS(response.set("a", "b"), std::logic_error);
        CHECK_THROWS_AS(response.add("a", "b"), std::logic_error);
        CHECK_THROWS_AS(response.remove("a"), std::logic_error);
        http::fields hints;
        CHECK_THROWS_AS(response.early_hints(hints), std::logic_error);
    };

    auto answer = co_await answer_to(get, handler);

    CHECK(answer.status == 200);
    CHECK(answer.body == "one");
}

TEST_WITHIN(5s, "a date that the handler sets is the one that is sent", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.set("date", "Thu, 01 Jan 1970 00:00:00 GMT");
        co_return;
    };

    auto answer = co_await answer_to(get, handler);

    CHECK(answer.header("Date") == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(!has(answer.head, "Date"));
}

TEST_WITHIN(5s, "a handler may end the connection, but not its framing", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.set("Connection", "x, close").set("Transfer-Encoding", "gzip");
        co_await response.end("one");
    };

    auto text = co_await text_to(get + get, handler);

    CHECK(has(text, "\r\nContent-Length: 3\r\nConnection: close\r\n\r\none"));
    CHECK(!has(text, "Transfer-Encoding"));
    CHECK(text.ends_with("\r\n\r\none"));
    CHECK(text.find("HTTP/1.1") == text.rfind("HTTP/1.1"));
}

// ---- Framing

TEST_WITHIN(5s, "a body in pieces is sent in chunks, an empty piece ends nothing",
            "[http_response]")
{
    auto text = co_await text_to(get, in_pieces);

    CHECK(has(text, "\r\nTransfer-Encoding: chunked\r\n"));
    CHECK(!has(text, "Content-Length"));
    CHECK(text.ends_with("\r\n\r\n4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"));
}

TEST_WITHIN(5s, "the chunks that a handler does not end are ended for it", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        co_await response.write("one");
    };

    auto text = co_await text_to(get, handler);

    CHECK(text.ends_with("\r\n\r\n3\r\none\r\n0\r\n\r\n"));
}

TEST_WITHIN(5s, "HTTP/1.0 gets a body in pieces until the connection closes", "[http_response]")
{
    auto text = co_await text_to("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", in_pieces);

    CHECK(has(text, "\r\nConnection: close\r\n"));
    CHECK(!has(text, "Transfer-Encoding"));
    CHECK(!has(text, "Content-Length"));
    CHECK(text.ends_with("\r\n\r\none two three"));
}

TEST_WITHIN(5s, "a length that the handler promises is sent in place of chunks", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.set("content-length", "7");
        co_await response.write("one ");
        co_await response.write("two");
    };

    for (const auto& request : {get, old_get})
    {
        auto text = co_await text_to(request, handler);
        CHECK(has(text, "Content-Length: 7\r\n"));
        CHECK(!has(text, "content-length"));
        CHECK(text.ends_with("\r\n\r\none two"));
    }
}

TEST_WITHIN(5s, "a promise that is broken before anything was sent becomes a 500",
            "[http_response]")
{
    auto longer = [](http::request&, http::response& response) -> task<>
    {
        response.status(201).set("Content-Length", "2").set("X-Secret", "1");
        co_await response.end("one");
    };
    auto longer_piece = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "2");
        co_await response.write("one");
    };
    auto shorter = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "4");
        co_await response.end("one");
    };
    auto nothing = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "4");
        co_return;
    };
    auto no_number = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "two");
        co_await response.end("no");
    };
    for (const auto& handler :
         std::vector<http::handler>{longer, longer_piece, shorter, nothing, no_number})
    {
        heard told;
        http::server server(handler, told.options());
        raw_client client(server);
        for (int count = 1; count <= 2; ++count)
        {
            co_await client.send(get);
            auto answer = co_await client.response();
            CHECK(answer->status == 500);
            CHECK(answer->body == "Internal Server Error\n");
            CHECK(!answer->header("X-Secret"));
            REQUIRE(told.errors.size() == static_cast<std::size_t>(count));
            CHECK(has(told.errors.back(), "Content-Length"));
        }
    }
}

TEST_WITHIN(5s, "a promise that is broken behind the head cuts the response off", "[http_response]")
{
    auto longer = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "4");
        co_await response.write("one");
        co_await response.write("two");
    };
    auto shorter = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "4");
        co_await response.write("one");
    };
    for (const auto& handler : std::vector<http::handler>{longer, shorter})
    {
        heard told;
        auto text = co_await text_to(get + get, handler, told.options());
        CHECK(text.ends_with("\r\n\r\none"));
        CHECK(told.errors.size() == 1);
    }
}

TEST_WITHIN(5s, "a handler that caught its broken promise may answer something else",
            "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "2");
        bool broken = false;
        try
        {
            co_await response.end("one");
        }
        catch (const std::logic_error&)
        {
            broken = true;
        }
        CHECK(broken);
        response.remove("Content-Length");
        co_await response.end("another");
    };

    auto answer = co_await answer_to(get, handler);

    CHECK(answer.status == 200);
    CHECK(answer.body == "another");
}

TEST_WITHIN(5s, "nothing is written behind the end", "[http_response]")
{
    std::size_t refused = 0;
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        co_await response.end("one");
        try
        {
            co_await response.write("two");
        }
        catch (const std::logic_error&)
        {
            ++refused;
        }
        try
        {
            co_await response.end();
        }
        catch (const std::logic_error&)
        {
            ++refused;
        }
    };

    auto text = co_await text_to(get, handler);

    CHECK(refused == 2);
    CHECK(text.ends_with("\r\n\r\none"));
}

TEST_WITHIN(5s, "an exception behind the end changes nothing for the client", "[http_response]")
{
    heard told;
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        co_await response.end("one");
        throw std::runtime_error("too late");
    };
    http::server server(handler, told.options());
    raw_client client(server);
    co_await client.send(get + get);

    for (int count = 0; count < 2; ++count)
    {
        auto answer = co_await client.response();
        CHECK(answer->body == "one");
    }
    co_await brood::test::eventually(1s, [&] { return told.errors.size() == 2; });
    CHECK(told.errors == std::vector<std::string>{"too late", "too late"});
}

// ---- Responses without a body

TEST_WITHIN(5s, "HEAD gets the head of GET and nothing else", "[http_response]")
{
    auto whole = [](http::request&, http::response& response) -> task<>
    {
        co_await response.end("one two");
    };
    auto promised = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "7");
        co_await response.write("one");
        co_await response.end();
    };
    for (const auto& handler : std::vector<http::handler>{whole, promised, in_pieces})
    {
        http::server server(handler);
        raw_client client(server);
        for (int count = 0; count < 2; ++count)
        {
            co_await client.send(head);
            auto answer = co_await client.response(true);
            CHECK(answer->status == 200);
            auto length = answer->header("Content-Length");
            CHECK((length == "7" || answer->header("Transfer-Encoding") == "chunked"));
        }
        client.end();
        auto ended = co_await client.ends();
        CHECK(ended);
    }
}

TEST_WITHIN(5s, "a HEAD that is answered without a body says nothing of what GET would get",
            "[http_response]")
{
    http::server server([](http::request&, http::response& response) -> task<>
                        { co_await response.end(); });
    raw_client client(server);
    for (int count = 0; count < 2; ++count)
    {
        co_await client.send(head);
        auto answer = co_await client.response(true);
        CHECK(answer->status == 200);
        CHECK(!answer->header("Content-Length"));
        CHECK(!answer->header("Transfer-Encoding"));
    }
    client.end();
    auto ended = co_await client.ends();
    CHECK(ended);
}

TEST_WITHIN(5s, "a HEAD that is answered with a length, though it is zero, tells it",
            "[http_response]")
{
    auto empty = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "0");
        co_await response.end();
    };
    http::server server(empty);
    raw_client client(server);
    for (int count = 0; count < 2; ++count)
    {
        co_await client.send(head);
        auto answer = co_await client.response(true);
        CHECK(answer->header("Content-Length") == "0");
        CHECK(!answer->header("Transfer-Encoding"));
    }
}

TEST_WITHIN(5s, "204 and 304 have no body, and say no length", "[http_response]")
{
    for (auto status : {204U, 304U})
    {
        auto handler = [status](http::request&, http::response& response) -> task<>
        {
            response.status(status);
            co_await response.write("not ");
            co_await response.end("sent");
        };
        http::server server(handler);
        raw_client client(server);
        for (int count = 0; count < 2; ++count)
        {
            co_await client.send(get);
            auto answer = co_await client.response();
            CHECK(answer->status == static_cast<int>(status));
            CHECK(!answer->header("Content-Length"));
            CHECK(!answer->header("Transfer-Encoding"));
        }
        client.end();
        auto ended = co_await client.ends();
        CHECK(ended);
    }
}

// ---- Early hints and upgrades

TEST_WITHIN(5s, "a response without a body has nothing behind its head, whatever came before it",
            "[http_response]")
{
    auto text = co_await text_to(get + head, in_pieces);

    auto second = text.substr(text.rfind("HTTP/1.1"));
    CHECK(second.find("\r\n\r\n") + 4 == second.size());
}

TEST_WITHIN(5s, "early hints come before the response, also twice", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.set("X-Later", "1");
        http::fields hints;
        hints.add("Link", "</style.css>; rel=preload");
        hints.add("Content-Length", "3");
        co_await response.early_hints(hints);
        co_await response.early_hints(hints);
        co_await response.end("page");
    };

    auto text = co_await text_to(get, handler);

    std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
    CHECK(text.starts_with(hint + hint + "HTTP/1.1 200 OK\r\n"));
    CHECK(text.ends_with("\r\n\r\npage"));

    auto old_text = co_await text_to(old_get, handler);
    CHECK(old_text.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_WITHIN(5s, "an upgrade gives the connection and what was read of it", "[http_response]")
{
    std::vector<unsigned> told;
    http::server_options options;
    options.on_request = [&](const http::access_record& record)
    {
        told.push_back(record.status);
    };
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.set("X-Echo", "1");
        auto given = co_await response.upgrade("echo");
        CHECK(response.begun());
        CHECK(response.ended());
        auto text = given.already_read + "|";
        char more[3];
        auto into = asio::buffer(more);
        co_await asio::async_read(*given.socket, into, asio::use_awaitable);
        text.append(more, sizeof more);
        auto bytes = asio::buffer(text);
        co_await asio::async_write(*given.socket, bytes, asio::use_awaitable);
    };
    http::server server(handler, options);
    raw_client client(server);
    co_await client.send("GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n"
                         "Upgrade: echo\r\n\r\nGET already");
    auto answer = co_await client.response();
    CHECK(answer->head == "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                          "X-Echo: 1\r\nUpgrade: echo\r\n\r\n");
    co_await client.send("abc");

    auto text = co_await client.read_all();

    CHECK(text == "GET already|abc");
    co_await server.closed();
    CHECK(told == std::vector<unsigned>{101});
}

TEST_WITHIN(5s, "the record of an upgrade names the client, although its connection is given away",
            "[http_response]")
{
    std::string client;
    http::server_options options;
    options.on_request = [&](const http::access_record& record)
    {
        client = record.client;
    };
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        co_await response.upgrade("echo");
    };
    auto acceptor = brood::test::local_acceptor();
    auto peer = co_await brood::test::connect_to(acceptor.local_endpoint().port());
    auto accepted = co_await acceptor.async_accept(asio::use_awaitable);
    http::server server(handler, options);
    server.adopt(std::move(accepted));
    std::string text = "GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    co_await asio::async_write(peer, asio::buffer(text), asio::use_awaitable);

    auto answer = co_await brood::test::read_all(std::move(peer));

    CHECK(answer.starts_with("HTTP/1.1 101 "));
    co_await server.closed();
    CHECK(client == "127.0.0.1");
}

TEST_WITHIN(5s, "an upgrade behind a body gives nothing of the body", "[http_response]")
{
    std::string read;
    auto handler = [&](http::request& request, http::response& response) -> task<>
    {
        auto piece = co_await request.chunk();
        CHECK(piece == "body");
        CHECK(request.complete());
        auto given = co_await response.upgrade("echo");
        read = given.already_read;
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n"
                         "Upgrade: echo\r\nContent-Length: 4\r\n\r\nbodyrest");

    auto answer = co_await client.response();
    CHECK(answer->status == 101);
    auto ended = co_await client.ends();
    CHECK(ended);
    CHECK(read == "rest");
}

TEST_WITHIN(5s, "an upgrade in front of a body that was not read is refused with 426",
            "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        co_await response.upgrade("echo");
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n"
                         "Upgrade: echo\r\nContent-Length: 4\r\n\r\nbo");

    auto answer = co_await client.response();

    CHECK(answer->status == 426);
    CHECK(answer->header("Upgrade") == "echo");
}

TEST_WITHIN(5s, "a connection that was upgraded outlives its handler and its server",
            "[http_response]")
{
    std::optional<asio::generic::stream_protocol::socket> kept;
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        auto given = co_await response.upgrade("echo");
        kept = std::move(given.socket);
    };
    std::optional<http::server> server(handler);
    raw_client client(*server);
    co_await client.send("GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n"
                         "Upgrade: echo\r\n\r\n");
    auto answer = co_await client.response();
    CHECK(answer->status == 101);
    co_await server->closed();
    server.reset();

    auto bytes = asio::buffer("still here", 10);
    co_await asio::async_write(*kept, bytes, asio::use_awaitable);
    kept.reset();
    auto text = co_await client.read_all();
    CHECK(text == "still here");
}

TEST_WITHIN(5s, "who asks for no upgrade gets 426, and the connection goes on", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        co_await response.upgrade("echo");
    };
    for (std::string request :
         {"GET / HTTP/1.1\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\nUpgrade: echo\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
          "GET / HTTP/1.0\r\nConnection: upgrade, keep-alive\r\nUpgrade: echo\r\n\r\n"})
    {
        http::server server(handler);
        raw_client client(server);
        for (int count = 0; count < 2; ++count)
        {
            co_await client.send(request);
            auto answer = co_await client.response();
            CHECK(answer->status == 426);
            CHECK(answer->header("Upgrade") == "echo");
            if (request.find("HTTP/1.1") != std::string::npos)
                CHECK(answer->header("Connection") == "Upgrade, keep-alive");
        }
    }
}

TEST_WITHIN(5s, "an upgrade is to one of the protocols that the client names", "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        co_await response.upgrade("echo");
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n"
                         "Upgrade: h2c, Echo\r\nUpgrade: more\r\n\r\n");
    auto answer = co_await client.response();
    CHECK(answer->status == 101);
}

// ---- Refusals

TEST_WITHIN(5s, "a refusal that is thrown keeps the connection, as the same answer would",
            "[http_response]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        if (request.target() == "/thrown")
            throw http::refusal(403, "no");
        if (request.target() == "/failed")
            throw std::runtime_error("a mistake");
        response.status(403);
        co_await response.end("no\n");
    };
    http::server_options options;
    options.on_error = [](const http::request&, std::exception_ptr) {
    };
    http::server server(handler, options);
    raw_client client(server);
    for (std::string target : {"/thrown", "/said", "/failed", "/thrown"})
    {
        co_await client.send("POST " + target +
                             " HTTP/1.1\r\nHost: b\r\n"
                             "Content-Length: 5\r\n\r\nabcde");
        auto answer = co_await client.response();
        INFO(target);
        REQUIRE(answer);
        CHECK(answer->status == (target == "/failed" ? 500 : 403));
        CHECK(answer->header("Connection") == "keep-alive");
    }
}

TEST_WITHIN(5s, "a body that is malformed or late ends its connection, and says so",
            "[http_response]")
{
    auto handler = [](http::request& request, http::response&) -> task<>
    {
        co_await request.body();
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send(
        "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n");
    auto answer = co_await client.response();
    CHECK(answer->status == 400);
    CHECK(answer->header("Connection") == "close");
    auto ended = co_await client.ends();
    CHECK(ended);
}

TEST_WITHIN(5s, "a refusal brings its fields, and 405 always has Allow", "[http_response]")
{
    auto handler = [](http::request& request, http::response& response) -> task<>
    {
        response.set("X-Prepared", "1");
        if (request.target() == "/who")
            throw http::refusal(401, "who are you?", {{"WWW-Authenticate", "Basic"}, {"A", "b"}});
        if (request.target() == "/bare")
            throw http::refusal(405, "not so");
        throw http::refusal(405, "not so", {{"Allow", "GET"}});
        co_return;
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("GET /who HTTP/1.1\r\nHost: b\r\n\r\n");
    auto who = co_await client.response();
    CHECK(who->status == 401);
    CHECK(who->header("WWW-Authenticate") == "Basic");
    CHECK(who->header("A") == "b");
    CHECK(!who->header("X-Prepared"));
    CHECK(who->body == "who are you?\n");
    co_await client.send("GET /bare HTTP/1.1\r\nHost: b\r\n\r\n");
    auto bare = co_await client.response();
    CHECK(bare->header("Allow") == "");
    co_await client.send("GET /told HTTP/1.1\r\nHost: b\r\n\r\n");
    auto told = co_await client.response();
    CHECK(told->header("Allow") == "GET");
}

TEST_WITHIN(20s, "who sends a large body that is refused gets the answer, and no reset",
            "[http_response]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.status(413);
        co_await response.end("much");
    };
    http::server server(handler);
    raw_client client(server);
    std::string large(8'000'000, 'x');
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 8000000\r\n\r\n" + large);
    auto answer = co_await client.response();
    REQUIRE(answer);
    CHECK(answer->status == 413);
    CHECK(answer->header("Connection") == "close");
    CHECK(answer->body == "much");
}

namespace
{

const std::string large_request = "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 8000000\r\n\r\n";

// A body that nobody wants to read.
task<> refuse_body(http::request&, http::response& response)
{
    response.status(413);
    co_await response.end("much");
}

/// A client whose large body was refused, and which sends on.
struct refused_client
{
    explicit refused_client(const http::server_options& options)
        : server(refuse_body, options), client(server)
    {
    }

    // Until the server has closed the connection, a byte after each pause, and no more after a
    // time; gives how long the server has borne it.
    task<std::chrono::milliseconds> send_on(std::chrono::milliseconds pause,
                                            std::chrono::milliseconds longest)
    {
        using clock = std::chrono::steady_clock;
        co_await client.send(large_request);
        auto answer = co_await client.response();
        CHECK(answer->body == "much");
        auto began = clock::now();
        while (server.connections() != 0)
        {
            co_await brood::sleep(pause);
            if (server.connections() != 0 && clock::now() - began < longest)
                co_await client.send("x");
        }
        co_return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began);
    }

    http::server server;
    raw_client client;
};

} // namespace

TEST_WITHIN(20s, "what a refused client sends is borne until it has been silent for a time",
            "[http_response]")
{
    http::server_options options;
    options.linger_timeout = 300ms;
    refused_client refused(options);

    auto borne = co_await refused.send_on(20ms, 1'000ms);

    CHECK(borne >= 1'250ms);
    CHECK(borne < 5s);
}

TEST_WITHIN(20s, "what a refused client sends is borne for a time in all", "[http_response]")
{
    http::server_options options;
    options.linger_time = 300ms;
    refused_client refused(options);

    auto borne = co_await refused.send_on(20ms, 1h);

    CHECK(borne >= 250ms);
    CHECK(borne < 4s); // before it had been called silent
}

TEST_WITHIN(5s, "where nothing is borne a refused client finds its connection closed at once",
            "[http_response]")
{
    http::server_options options;
    options.linger_time = 0ms;
    http::server server(refuse_body, options);
    raw_client client(server);

    co_await client.send(large_request);

    auto closed = co_await brood::test::eventually(2s, [&] { return server.connections() == 0; });
    CHECK(closed);
}

TEST_WITHIN(20s, "a server that closes bears what is still sent for two seconds", "[http_response]")
{
    refused_client refused({});
    asio::steady_timer closing(brood::default_executor(), 200ms);
    closing.async_wait([&](auto) { refused.server.close(); });

    auto borne = co_await refused.send_on(20ms, 1h);

    CHECK(borne >= 2s);
    CHECK(borne < 4'500ms); // before it had been called silent
}

// ---- Files

TEST_WITHIN(5s, "a part of a file is sent as the body", "[http_response]")
{
    brood::test::temporary_directory directory;
    opened file(directory.write("digits", "0123456789"));
    std::vector<std::uint64_t> told;
    http::server_options options;
    options.on_request = [&](const http::access_record& record)
    {
        told.push_back(record.body_size);
    };
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        co_await response.end_with_file(file.number, 2, 5);
    };
    http::server server(handler, options);
    raw_client client(server);
    co_await client.send(head + get + get);

    auto to_head = co_await client.response(true);
    CHECK(to_head->header("Content-Length") == "5");
    for (int count = 0; count < 2; ++count)
    {
        auto answer = co_await client.response();
        CHECK(answer->body == "23456");
    }
    CHECK(told == std::vector<std::uint64_t>{0, 5, 5});
}

TEST_WITHIN(5s, "a file that is shorter than was promised cuts the response off", "[http_response]")
{
    brood::test::temporary_directory directory;
    opened file(directory.write("digits", "0123456789"));
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        co_await response.end_with_file(file.number, 8, 5);
    };

    auto text = co_await text_to(get + get, handler);

    CHECK(text.ends_with("\r\n\r\n89"));
}

TEST_WITHIN(20s, "a large file passes a client that reads slowly", "[http_response]")
{
    brood::test::temporary_directory directory;
    std::string content;
    for (int number = 0; number < 1'000'000; ++number)
        content += std::to_string(number);
    opened file(directory.write("numbers", content));
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        co_await response.end_with_file(file.number, 0, content.size());
    };

    auto answer = co_await answer_to(get, handler);

    CHECK((answer.body == content));
}

// ---- Flow control

TEST_WITHIN(60s, "write() waits for a client that does not read, and memory stays as it is",
            "[http_response]")
{
    constexpr std::size_t piece_size = 100'000;
    constexpr std::size_t count = 2'000;
    std::string piece(piece_size, 'x');
    std::size_t written = 0;
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        for (; written < count; ++written)
            co_await response.write(piece);
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("GET / HTTP/1.0\r\n\r\n");
    auto before = brood::test::resident_memory();
    co_await brood::test::eventually(5s, [&] { return written > 0; });
    co_await brood::sleep(50ms);
    auto ahead = written;
    co_await brood::sleep(50ms);
    CHECK(written == ahead);
    CHECK(written < 100);

    std::size_t received = 0;
    std::string into(1'000'000, ' ');
    for (;;)
    {
        auto room = asio::buffer(into);
        auto reading = client.socket().async_read_some(room, brood::detail::use_tuple);
        auto read = co_await std::move(reading);
        received += std::get<1>(read);
        if (std::get<0>(read))
            break;
    }

    CHECK(received > piece_size * count);
    CHECK(brood::test::resident_memory() < before + 20'000'000);
}

TEST_WITHIN(10s, "a write that is cancelled in its middle ends the connection", "[http_response]")
{
    using namespace asio::experimental::awaitable_operators;
    const std::string piece(3'000'000, 'x');
    bool done = false;
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", std::to_string(piece.size()));
        co_await (response.write(piece) || brood::sleep(20ms));
        done = true;
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send(get + get);
    co_await brood::test::eventually(5s, [&] { return done; });

    auto text = co_await client.read_all();

    CHECK(text.size() < piece.size());
    CHECK(text.rfind("HTTP/1.1") == 0);
}

TEST_WITHIN(10s, "a client that goes while it is written to ends the handler", "[http_response]")
{
    heard told;
    bool ended = false;
    std::string piece(100'000, 'x');
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        try
        {
            for (;;)
                co_await response.write(piece);
        }
        catch (const std::system_error&)
        {
            ended = true;
            throw;
        }
    };
    http::server server(handler, told.options());
    raw_client client(server);
    co_await client.send(get);
    co_await brood::sleep(10ms);
    client.close();

    co_await server.closed();

    CHECK(ended);
    CHECK(told.errors.empty());
}

TEST_WITHIN(5s, "the record of an answer in place of a broken one counts that alone",
            "[http_response]")
{
    heard told;
    std::uint64_t size = 0;
    auto options = told.options();
    options.on_request = [&](const http::access_record& record)
    {
        size = record.body_size;
    };
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.set("Content-Length", "1000");
        co_await response.end(std::string(500, 'x'));
    };

    auto answer = co_await answer_to(get, handler, options);

    CHECK(answer.status == 500);
    CHECK(size == answer.body.size());
}

TEST_WITHIN(5s, "the record of an upgrade names the client", "[http_response]")
{
    std::string by;
    http::server_options options;
    options.on_request = [&](const http::access_record& record)
    {
        by = record.client;
    };
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        auto given = co_await response.upgrade("echo");
    };
    brood::test::running_server server(handler, options);
    auto client = co_await brood::test::connect_to(brood::test::port_of(server.url("")));
    std::string wanted = "GET / HTTP/1.1\r\nHost: b\r\nConnection: upgrade\r\n"
                         "Upgrade: echo\r\n\r\n";
    co_await asio::async_write(client, asio::buffer(wanted), asio::use_awaitable);

    co_await brood::test::eventually(3s, [&] { return !by.empty(); });

    CHECK(by == "127.0.0.1");
}

TEST_CASE("a response and an upgrade may be abandoned at any step", "[http_response]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            auto handler = [](http::request& request, http::response& response) -> task<>
            {
                http::fields hints;
                hints.add("Link", "</style.css>");
                co_await response.early_hints(hints);
                while (auto piece = co_await request.chunk())
                    co_await response.write(*piece);
                if (!request.wants_upgrade())
                    co_return;
                auto given = co_await response.upgrade("echo");
                auto bytes = asio::buffer("echo", 4);
                co_await asio::async_write(*given.socket, bytes, asio::use_awaitable);
            };
            http::server server(handler);
            raw_client client(server);
            co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n");
            for (int status : {103, 100})
            {
                auto interim = co_await client.response();
                CHECK(interim->status == status);
            }
            co_await client.send("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
            auto answer = co_await client.response();
            CHECK(answer->body == "onetwo");
            co_await client.send("GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n"
                                 "Upgrade: echo\r\n\r\n");
            co_await client.response();
            auto upgraded = co_await client.response();
            CHECK(upgraded->status == 101);
            auto text = co_await client.read_all();
            CHECK(text == "echo");
            co_await server.closed();
        });
}
