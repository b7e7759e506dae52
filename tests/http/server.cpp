// SPDX-License-Identifier: BSL-1.0
#include <brood/http/server.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/http/file.hpp>
#include <brood/process/traffic.hpp>

#include "support/client.hpp"
#include "support/http_servers.hpp"
#include "support/lowered_limit.hpp"
#include "support/raw_client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/local/connect_pair.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/write.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using brood::task;
using brood::test::eventually;
using brood::test::raw_client;
using brood::test::running_server;
namespace http = brood::http;

namespace
{

task<> hello(http::request&, http::response& response)
{
    co_await response.end("hello\n");
}

// Answers with what it was sent.
task<> echo(http::request& request, http::response& response)
{
    auto body = co_await request.body();
    co_await response.end(body);
}

task<> fail(http::request&, http::response&)
{
    throw std::runtime_error("the database is on fire");
    co_return;
}

// Which of two clients is answered first, and how: "slow 408 later 408 ".
task<std::string> order_of_ends(raw_client& slow, raw_client& later)
{
    auto end = [](raw_client& of, std::string name, std::string& order) -> task<>
    {
        auto answer = co_await of.response();
        order += name + std::to_string(answer ? answer->status : 0) + ' ';
    };
    std::string order;
    int over = 0;
    auto ended = [&](std::exception_ptr)
    {
        ++over;
    };
    asio::co_spawn(brood::default_executor(), end(slow, "slow ", order), ended);
    asio::co_spawn(brood::default_executor(), end(later, "later ", order), ended);
    co_await eventually(10s, [&] { return over == 2; });
    co_return order;
}

// What has accept() and close() is a listener.
struct broken_listener
{
    task<std::optional<http::server::socket_type>> accept()
    {
        throw std::runtime_error("nobody can come");
        co_return std::nullopt;
    }

    void close() {}
};

task<> fail_halfway(http::request&, http::response& response)
{
    co_await response.write("half of ");
    throw std::runtime_error("the other half is lost");
}

// Options of a server that prints nothing about handlers that throw.
http::server_options untold()
{
    http::server_options options;
    options.on_error = [](const http::request&, std::exception_ptr) {
    };
    return options;
}

// A handler that waits until the test lets it go on.
class gate
{
public:
    bool reached = false;

    http::handler handler()
    {
        return [this](http::request&, http::response& response) -> task<>
        {
            reached = true;
            while (!open_)
                co_await brood::sleep(1ms);
            co_await response.end("late");
        };
    }

    void open() { open_ = true; }

private:
    bool open_ = false;
};

std::string post(const std::string& body)
{
    return "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

const std::string get = "GET / HTTP/1.1\r\nHost: brood\r\n\r\n";

} // namespace

TEST_WITHIN(5s, "a request is answered by the handler, with length and date", "[http]")
{
    http::server server(hello);
    raw_client client(server);
    co_await client.send(get);

    auto answer = co_await client.response();

    CHECK(answer->status == 200);
    CHECK(answer->head.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer->body == "hello\n");
    CHECK(answer->header("Content-Length") == "6");
    CHECK(answer->header("Date")->ends_with(" GMT"));
    CHECK(answer->header("Connection") == "keep-alive");
}

TEST_WITHIN(5s, "a connection serves one request after the other", "[http]")
{
    http::server server(echo);
    raw_client client(server);
    for (int number = 0; number < 100; ++number)
    {
        auto body = std::to_string(number);
        co_await client.send(post(body));
        auto answer = co_await client.response();
        CHECK(answer->body == body);
    }
}

TEST_WITHIN(5s, "requests that come together are answered in their order", "[http]")
{
    http::server server(echo);
    raw_client client(server);
    co_await client.send(post("one") + post("") + post("three"));

    for (std::string expected : {"one", "", "three"})
    {
        auto answer = co_await client.response();
        CHECK(answer->body == expected);
    }
}

TEST_WITHIN(10s, "a request that comes byte by byte is one request", "[http]")
{
    http::server server(echo);
    raw_client client(server);
    for (auto byte : post("piece by piece"))
    {
        co_await client.send(std::string(1, byte));
        co_await brood::sleep(0ms);
    }

    auto answer = co_await client.response();

    CHECK(answer->body == "piece by piece");
}

TEST_WITHIN(5s, "a connection is closed when the client says so, or speaks HTTP/1.0", "[http]")
{
    for (std::string request :
         {"GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"})
    {
        http::server server(hello);
        raw_client client(server);
        co_await client.send(request);
        auto answer = co_await client.response();
        CHECK(answer->body == "hello\n");
        CHECK(answer->header("Connection") == "close");
        auto ended = co_await client.ends();
        CHECK(ended);
    }
}

TEST_WITHIN(5s, "a client of HTTP/1.0 may ask to keep its connection", "[http]")
{
    http::server server(hello);
    raw_client client(server);
    for (int count = 0; count < 2; ++count)
    {
        co_await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        auto answer = co_await client.response();
        CHECK(answer->header("Connection") == "keep-alive");
    }
}

TEST_WITHIN(10s, "a client is told for how long its connection is kept", "[http]")
{
    auto answers = [](http::request& request, http::response& response) -> task<>
    {
        if (request.target() == "/refused")
            throw http::refusal(404, "not here");
        co_await response.end("hello");
    };
    const std::pair<std::chrono::milliseconds, std::string> table[] = {
        {5'000ms, "timeout=5"}, {2'900ms, "timeout=2"}, {0ms, ""}};
    for (auto& [time, told] : table)
    {
        http::server_options options;
        options.keep_alive_timeout = time;
        http::server server(answers, options);
        raw_client client(server);
        for (std::string target : {"/", "/refused", "/"})
        {
            co_await client.send("GET " + target + " HTTP/1.1\r\nHost: b\r\n\r\n");
            auto answer = co_await client.response();
            CHECK(answer->header("Keep-Alive").value_or("") == told);
            CHECK(answer->header("Connection").value_or("") == (told.empty() ? "" : "keep-alive"));
        }
        co_await client.send("GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");
        auto last = co_await client.response();
        CHECK(last->header("Connection") == "close");
        CHECK(!last->header("Keep-Alive"));
    }
}

TEST_WITHIN(5s, "a record of a request says when it began", "[http]")
{
    std::chrono::system_clock::time_point began;
    http::server_options options;
    options.on_request = [&](const http::access_record& record)
    {
        began = record.began;
    };
    http::server server(hello, options);
    raw_client client(server);
    co_await client.send("GET / HTTP/1.1\r\n");
    auto before = std::chrono::system_clock::now();
    auto arrived = co_await eventually(2s, [&] { return server.idle() == 0; });
    CHECK(arrived);
    auto begun = std::chrono::system_clock::now();
    co_await brood::sleep(20ms);

    co_await client.send("Host: b\r\n\r\n");
    co_await client.response();

    CHECK(began >= before - 1s);
    CHECK(began <= begun);
}

TEST_WITHIN(5s, "what a handler throws becomes a 500, and the connection goes on", "[http]")
{
    std::vector<std::string> told;
    http::server_options options;
    options.on_error = [&](const http::request& request, std::exception_ptr)
    {
        told.push_back(request.target());
    };
    http::server server(fail, options);
    raw_client client(server);
    auto before = brood::traffic_of_this_process().read();
    co_await client.send(get + get);

    for (int count = 0; count < 2; ++count)
    {
        auto answer = co_await client.response();
        CHECK(answer->status == 500);
        CHECK(answer->body.find("fire") == std::string::npos);
    }
    CHECK(told == std::vector<std::string>{"/", "/"});
    auto after = brood::traffic_of_this_process().read();
    CHECK(after.requests - before.requests == 2);
    CHECK(after.failed_requests - before.failed_requests == 2);
}

TEST_WITHIN(5s,
            "an exception behind the head cuts the response off, so that nobody takes it for whole",
            "[http]")
{
    http::server server(fail_halfway, untold());
    raw_client client(server);
    co_await client.send(get);

    auto all = co_await client.read_all();

    CHECK(all.find("half of ") != std::string::npos);
    CHECK(!all.ends_with("0\r\n\r\n"));
}

TEST_WITHIN(5s, "a refusal that leaves the handler is the answer", "[http]")
{
    auto handler = [](http::request&, http::response&) -> task<>
    {
        throw http::refusal(404, "no such book");
        co_return;
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send(get);

    auto answer = co_await client.response();

    CHECK(answer->status == 404);
    CHECK(answer->body == "no such book\n");
}

TEST_WITHIN(5s, "a handler that says nothing answers with an empty body", "[http]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        response.status(202);
        co_return;
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send(get);

    auto answer = co_await client.response();

    CHECK(answer->status == 202);
    CHECK(answer->header("Content-Length") == "0");
}

TEST_WITHIN(5s, "a body that the handler did not read does not become the next request", "[http]")
{
    http::server server(hello);
    raw_client client(server);
    co_await client.send(post(get) + get);

    auto first = co_await client.response();
    auto second = co_await client.response();

    CHECK(first->body == "hello\n");
    CHECK(second->body == "hello\n");
    CHECK(server.connections() == 1);
}

TEST_WITHIN(5s, "a long body that the handler did not read ends the connection, not the response",
            "[http]")
{
    http::server server(hello);
    raw_client client(server);
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 1000000\r\n\r\n" +
                         std::string(150'000, 'x'));

    auto answer = co_await client.response();
    CHECK(answer->body == "hello\n");
    auto ended = co_await client.ends();
    CHECK(ended);
}

TEST_WITHIN(5s, "a client that waits for 100 Continue gets it when the handler reads", "[http]")
{
    http::server server(echo);
    raw_client client(server);
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n"
                         "Expect: 100-continue\r\n\r\n");
    auto interim = co_await client.response();
    CHECK(interim->status == 100);

    co_await client.send("body");
    auto answer = co_await client.response();
    CHECK(answer->body == "body");
}

TEST_WITHIN(5s,
            "a client that waits for 100 Continue in vain is answered, and its connection closed",
            "[http]")
{
    http::server server(hello);
    raw_client client(server);
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n"
                         "Expect: 100-continue\r\n\r\n");

    auto answer = co_await client.response();

    CHECK(answer->status == 200);
    CHECK(answer->header("Connection") == "close");
    client.end();
    auto ended = co_await client.ends();
    CHECK(ended);
}

TEST_WITHIN(
    10s, "the last response of a connection comes whole, though more requests have come meanwhile",
    "[http]")
{
    const std::string body(1'000'000, 'x');
    bool reached = false, open = false;
    auto handler = [&](http::request&, http::response& response) -> task<>
    {
        reached = true;
        co_await eventually(5s, [&] { return open; });
        response.set("Connection", "close");
        co_await response.end(body);
    };
    running_server server(handler);
    auto client = co_await brood::test::connect_to(brood::test::port_of(server.url("")));
    co_await asio::async_write(client, asio::buffer(get), asio::use_awaitable);
    co_await eventually(5s, [&] { return reached; });
    co_await asio::async_write(client, asio::buffer(get), asio::use_awaitable);
    open = true;
    co_await brood::sleep(50ms); // the server has answered before anybody reads

    auto text = co_await brood::test::read_all(std::move(client));

    CHECK(text.size() > body.size());
}

TEST_WITHIN(5s, "a client of HTTP/1.0 does not take a response that was cut off for whole",
            "[http]")
{
    running_server server(fail_halfway, untold());
    auto client = co_await brood::test::connect_to(brood::test::port_of(server.url("")));
    std::string old_get = "GET / HTTP/1.0\r\n\r\n";
    co_await asio::async_write(client, asio::buffer(old_get), asio::use_awaitable);

    std::string text;
    auto into = asio::dynamic_buffer(text);
    auto reading = asio::async_read(client, into, brood::detail::use_tuple);
    auto read = co_await std::move(reading);

    CHECK(std::get<0>(read) == asio::error::connection_reset);
}

TEST_WITHIN(10s, "a connection that was handed over with its request does not hold the loop",
            "[http]")
{
    brood::test::temporary_directory directory;
    auto path = directory.write("large", std::string(3'000'000, 'x'));
    auto handler = [&](http::request& request, http::response& response) -> task<>
    {
        co_await http::send_file(request, response, path);
    };
    http::server server(handler);
    auto executor = brood::default_executor();
    asio::local::stream_protocol::socket ours(executor), theirs(executor);
    asio::local::connect_pair(ours, theirs);
    timeval most = {1, 0}; // so that the test fails, and does not hang
    ::setsockopt(theirs.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);

    auto before = std::chrono::steady_clock::now();
    server.adopt(std::move(theirs), get);
    co_await brood::sleep(10ms);

    CHECK(std::chrono::steady_clock::now() - before < 900ms);
}

TEST_WITHIN(5s, "a connection that was read from before it was handed over loses nothing", "[http]")
{
    http::server server(echo);
    auto executor = brood::default_executor();
    asio::local::stream_protocol::socket ours(executor), theirs(executor);
    asio::local::connect_pair(ours, theirs);
    auto whole = post("handed over");
    auto rest = whole.substr(20);
    server.adopt(std::move(theirs), whole.substr(0, 20));
    co_await asio::async_write(ours, asio::buffer(rest), asio::use_awaitable);
    ours.shutdown(asio::socket_base::shutdown_send);

    std::string answer;
    auto into = asio::dynamic_buffer(answer);
    auto reading = asio::async_read(ours, into, brood::detail::use_tuple);
    co_await std::move(reading);

    CHECK(answer.ends_with("\r\n\r\nhanded over"));
}

TEST_WITHIN(5s, "serve() answers at a port until its listener closes", "[http]")
{
    auto executor = brood::default_executor();
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor acceptor(executor, any);
    auto port = acceptor.local_endpoint().port();
    http::server server(hello);
    bool over = false;
    auto serving = [](http::server& by, asio::ip::tcp::acceptor from) -> task<>
    {
        co_await by.serve(std::move(from));
    };
    asio::co_spawn(executor, serving(server, std::move(acceptor)),
                   [&](std::exception_ptr) { over = true; });

    auto client = co_await brood::test::connect_to(port);
    co_await asio::async_write(client, asio::buffer(get), asio::use_awaitable);
    char first = 0;
    auto into = asio::buffer(&first, 1);
    co_await asio::async_read(client, into, asio::use_awaitable);
    CHECK(first == 'H');
    CHECK(!over);

    server.close();
    auto ended = co_await brood::test::eventually(2s, [&] { return over; });
    CHECK(ended);
}

TEST_WITHIN(5s,
            "a client that comes while there are no descriptors is served later, and nothing spins",
            "[http]")
{
    auto executor = brood::default_executor();
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor acceptor(executor, any);
    auto client = co_await brood::test::connect_to(acceptor.local_endpoint().port());
    co_await asio::async_write(client, asio::buffer(get), asio::use_awaitable);
    http::server server(hello);
    {
        brood::test::lowered_limit none(RLIMIT_NOFILE, 0);
        asio::co_spawn(executor, server.serve(std::move(acceptor)), asio::detached);
        auto before = std::clock();
        co_await brood::sleep(200ms);
        auto used = std::clock() - before;
        CHECK(server.connections() == 0);
        CHECK(used < CLOCKS_PER_SEC / 10);
    }

    char first = 0;
    auto into = asio::buffer(&first, 1);
    co_await asio::async_read(client, into, asio::use_awaitable);
    CHECK(first == 'H');
    server.close();
    co_await server.closed();
}

// ---- Limits

TEST_WITHIN(5s, "a head that is too long gets 431, and so does one of too many fields", "[http]")
{
    http::server_options options;
    options.max_header_size = 1'000;
    options.max_header_count = 10;
    std::string many = "GET / HTTP/1.1\r\nHost: b\r\n";
    for (int count = 0; count < 10; ++count)
        many += "a: b\r\n";
    for (auto request :
         {"GET /" + std::string(2'000, 'x') + " HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: b\r\nlong: " + std::string(2'000, 'x'), many + "\r\n"})
    {
        http::server server(hello, options);
        raw_client client(server);
        co_await client.send(request);
        auto answer = co_await client.response();
        CHECK(answer->status == 431);
        CHECK(answer->header("Connection") == "close");
    }
}

TEST_WITHIN(5s, "a body that is too long gets 413, with a length and in chunks", "[http]")
{
    http::server_options options;
    options.max_body = 10;
    for (std::string request : {"POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 11\r\n\r\n",
                                "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "b\r\n01234567890\r\n"})
    {
        http::server server(echo, options);
        raw_client client(server);
        co_await client.send(request);
        auto answer = co_await client.response();
        CHECK(answer->status == 413);
    }
}

TEST_WITHIN(5s, "the last request that a connection may send is announced, and answered with close",
            "[http][node-243]")
{
    http::server_options options;
    options.max_requests_per_connection = 3;
    http::server server(hello, options);
    raw_client client(server), other(server);

    for (int left : {2, 1})
    {
        co_await client.send(get);
        auto answer = co_await client.response();
        CHECK(answer->header("Keep-Alive") == "timeout=5, max=" + std::to_string(left));
    }
    co_await client.send(get);
    auto last = co_await client.response();
    CHECK(last->header("Connection") == "close");
    auto ended = co_await client.ends();
    CHECK(ended);

    co_await other.send(get);
    auto unaffected = co_await other.response();
    CHECK(unaffected->header("Keep-Alive") == "timeout=5, max=2");
}

TEST_WITHIN(5s, "requests above the limit of a connection are dropped with 503, and told",
            "[http][node-244]")
{
    std::vector<unsigned> told;
    http::server_options options;
    options.max_requests_per_connection = 2;
    options.on_request = [&](const http::access_record& record)
    {
        told.push_back(record.status);
    };
    http::server server(hello, options);
    raw_client client(server);
    co_await client.send(get + get + get + get);

    for (int expected : {200, 200, 503})
    {
        auto answer = co_await client.response();
        CHECK(answer->status == expected);
    }
    auto ended = co_await client.ends();
    CHECK(ended);
    CHECK(told == std::vector<unsigned>{200, 200, 503});
}

TEST_WITHIN(5s, "one connection too many gets 503", "[http]")
{
    http::server_options options;
    options.max_connections = 1;
    http::server server(hello, options);
    raw_client first(server), second(server);

    auto refused = co_await second.response();
    CHECK(refused->status == 503);
    co_await first.send(get);
    auto answer = co_await first.response();
    CHECK(answer->status == 200);

    first.close();
    second.close();
    co_await server.closed();
    raw_client third(server);
    co_await third.send(get);
    auto again = co_await third.response();
    CHECK(again->status == 200);
}

// ---- Timeouts

TEST_WITHIN(10s, "a kept connection ends without a word after its time, pipelined or not",
            "[http][node-242]")
{
    http::server_options options;
    options.keep_alive_timeout = 100ms;
    for (auto requests : {get, get + get})
    {
        http::server server(hello, options);
        raw_client client(server);
        co_await client.send(requests);
        for (std::size_t count = 0; count < requests.size() / get.size(); ++count)
        {
            auto answer = co_await client.response();
            CHECK(answer->status == 200);
        }
        auto ended = co_await client.ends();
        CHECK(ended);
    }
}

TEST_WITHIN(10s,
            "a head that comes too slowly gets 408, also behind a request on the same connection",
            "[http][node-245]")
{
    http::server_options options;
    options.headers_timeout = 100ms;
    options.keep_alive_timeout = 1h;
    http::server server(hello, options);
    raw_client silent(server), slow(server), second(server);
    co_await slow.send("GET / HTTP/1.1\r\nHost: b");
    co_await second.send(get + "GET / HT");

    auto answered = co_await second.response();
    CHECK(answered->status == 200);
    for (auto client : {&silent, &slow, &second})
    {
        auto late = co_await client->response();
        CHECK(late->status == 408);
        CHECK(late->header("Connection") == "close");
        auto ended = co_await client->ends();
        CHECK(ended);
    }
}

TEST_WITHIN(10s, "a body that comes too late gets 408", "[http][node-247]")
{
    http::server_options options;
    options.request_timeout = 100ms;
    http::server server(echo, options);
    raw_client client(server);
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\nbo");

    auto answer = co_await client.response();

    CHECK(answer->status == 408);
    CHECK(answer->header("Connection") == "close");
}

TEST_WITHIN(10s, "the time for a request begins anew with each request of a connection",
            "[http][node-249]")
{
    http::server_options options;
    options.request_timeout = 300ms;
    options.keep_alive_timeout = 10s;
    http::server server(echo, options);
    raw_client client(server);
    for (int count = 0; count < 4; ++count)
    {
        co_await client.send(post("in time"));
        auto answer = co_await client.response();
        CHECK(answer->status == 200);
        co_await brood::sleep(150ms);
    }
    co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\n");
    auto late = co_await client.response();
    CHECK(late->status == 408);
}

TEST_WITHIN(20s, "the time for the first head begins with the connection, not with its first byte",
            "[http]")
{
    const std::string half = "GET / HTTP/1.1\r\nHost: b\r\n";
    http::server_options options;
    options.headers_timeout = 1s;
    http::server server(echo, options);
    raw_client slow(server);
    co_await brood::sleep(500ms);
    raw_client later(server);
    co_await later.send(half);
    co_await brood::sleep(400ms);
    co_await slow.send(half);

    auto order = co_await order_of_ends(slow, later);

    CHECK(order == "slow 408 later 408 ");
}

TEST_WITHIN(20s, "the time for a request begins with its first byte, not with its body", "[http]")
{
    http::server_options options;
    options.request_timeout = 1s;
    http::server server(echo, options);
    raw_client slow(server);
    co_await slow.send("POST / HTTP/1.1\r\nHost: b\r\n");
    co_await brood::sleep(500ms);
    raw_client later(server);
    co_await later.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\n");
    co_await brood::sleep(400ms);
    co_await slow.send("Content-Length: 4\r\n\r\n");

    auto order = co_await order_of_ends(slow, later);

    CHECK(order == "slow 408 later 408 ");
}

TEST_WITHIN(10s, "a client that makes no room for its response is not waited for without end",
            "[http]")
{
    auto handler = [](http::request&, http::response& response) -> task<>
    {
        std::string much(1U << 20, 'x');
        for (;;)
            co_await response.write(much);
    };
    http::server_options options;
    options.write_timeout = 100ms;
    http::server server(handler, options);
    raw_client client(server);
    co_await client.send(get);

    co_await server.closed();

    CHECK(server.connections() == 0);
}

// ---- The end

TEST_WITHIN(10s, "close() ends what is idle, and answers what has begun", "[http]")
{
    gate late;
    http::server server(late.handler());
    raw_client idle(server), busy(server);
    co_await busy.send(get);
    co_await brood::test::eventually(5s, [&] { return late.reached; });
    server.close();
    auto ended = co_await idle.ends();
    CHECK(ended);
    CHECK(server.connections() == 1);

    late.open();
    auto answer = co_await busy.response();
    CHECK(answer->body == "late");
    CHECK(answer->header("Connection") == "close");
    co_await server.closed();
}

TEST_WITHIN(10s, "close() ends what has waited for long at once, whatever the times of the server",
            "[http]")
{
    http::server_options options; // it looks for late connections once a second
    options.headers_timeout = options.request_timeout = options.keep_alive_timeout = 0ms;
    options.write_timeout = options.linger_timeout = options.linger_time = 0ms;
    std::vector<std::unique_ptr<http::server>> servers;
    std::vector<std::unique_ptr<raw_client>> clients;
    for (int count = 0; count < 3; ++count)
    {
        servers.push_back(std::make_unique<http::server>(hello, options));
        clients.push_back(std::make_unique<raw_client>(*servers.back()));
    }
    co_await brood::sleep(2'200ms);

    auto fastest = std::chrono::steady_clock::duration::max();
    for (std::size_t count = 0; count < 3; ++count)
    {
        auto begin = std::chrono::steady_clock::now();
        servers[count]->close();
        auto ended = co_await clients[count]->ends();
        CHECK(ended);
        fastest = std::min(fastest, std::chrono::steady_clock::now() - begin);
    }
    CHECK(fastest < 100ms);
}

TEST_WITHIN(10s, "a request that crosses close() on a connection in use is answered", "[http]")
{
    http::server server(hello);
    raw_client client(server);
    co_await client.send(get);
    co_await client.response();
    server.close();
    co_await client.send(get);

    auto answer = co_await client.response();

    CHECK(answer->status == 200);
    CHECK(answer->header("Connection") == "close");
    co_await server.closed();
}

TEST_WITHIN(5s, "close_all() ends idle connections and half-sent requests at once",
            "[http][node-239]")
{
    http::server server(echo);
    raw_client idle(server), half(server), in_body(server);
    co_await half.send("GET / HTTP/1.1\r\nHo");
    co_await in_body.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\nbo");
    co_await brood::sleep(10ms);
    server.close_all();

    for (auto client : {&idle, &half, &in_body})
    {
        auto ended = co_await client->ends();
        CHECK(ended);
    }
    co_await server.closed();
}

TEST_WITHIN(5s, "close_idle() leaves half-sent requests alone", "[http]")
{
    http::server server(hello);
    raw_client idle(server), half(server);
    co_await half.send("GET / HTTP/1.1\r\nHo");
    co_await brood::test::eventually(5s, [&] { return server.idle() == 1; });
    server.close_idle();

    auto ended = co_await idle.ends();
    CHECK(ended);
    co_await half.send("st: b\r\n\r\n");
    auto answer = co_await half.response();
    CHECK(answer->status == 200);
}

TEST_WITHIN(5s, "a server that goes takes its connections with it", "[http]")
{
    std::optional<http::server> server(hello);
    raw_client client(*server);
    co_await client.send(get);
    co_await client.response();
    server.reset();

    auto ended = co_await client.ends();
    CHECK(ended);
}

TEST_WITHIN(5s, "a handler goes on when its server has gone, until it touches its connection",
            "[http]")
{
    bool reached = false, went_on = false, threw = false;
    auto opened = std::make_shared<bool>(false);
    auto handler = [&, opened](http::request&, http::response& response) -> task<>
    {
        reached = true;
        while (!*opened)
            co_await brood::sleep(1ms);
        went_on = true;
        try
        {
            co_await response.end("late");
        }
        catch (const std::system_error&)
        {
            threw = true;
            throw;
        }
    };
    std::optional<http::server> server(std::in_place, handler);
    raw_client client(*server);
    co_await client.send(get);
    co_await eventually(2s, [&] { return reached; });

    server.reset();
    *opened = true;

    auto over = co_await eventually(2s, [&] { return threw; });
    CHECK(over);
    CHECK(went_on);
    auto ended = co_await client.ends();
    CHECK(ended);
}

TEST_WITHIN(5s, "a connection that comes while the server closes is served what has come", "[http]")
{
    http::server server(hello);
    raw_client kept(server); // so that it is not closed yet
    co_await kept.send("GET / HTTP/1.1\r\nHo");
    co_await eventually(2s, [&] { return server.idle() == 0; });
    server.close();
    asio::local::stream_protocol::socket ours(brood::default_executor()),
        theirs(brood::default_executor());
    asio::local::connect_pair(ours, theirs);

    server.adopt(std::move(theirs), get);

    std::string answer;
    std::error_code end;
    co_await asio::async_read(ours, asio::dynamic_buffer(answer),
                              asio::redirect_error(asio::use_awaitable, end));
    CHECK(end == asio::error::eof);
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.find("\r\nConnection: close\r\n") != answer.npos);
    CHECK(answer.ends_with("\r\n\r\nhello\n"));
    CHECK(server.connections() == 1);
}

TEST_WITHIN(5s, "of two who wait until a server is closed one may go, and the other learns of it",
            "[http]")
{
    http::server server(hello);
    raw_client client(server);
    bool cancelled = false, closed = false;
    asio::cancellation_signal cancel;
    auto first = server.closed();
    auto second = server.closed();
    auto executor = brood::default_executor();
    asio::co_spawn(executor, std::move(first),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failed)
                                                { cancelled = failed != nullptr; }));
    asio::co_spawn(executor, std::move(second),
                   [&](std::exception_ptr failed) { closed = failed == nullptr; });
    co_await brood::sleep(10ms);

    cancel.emit(asio::cancellation_type::terminal);
    auto gone = co_await eventually(2s, [&] { return cancelled; });
    CHECK(gone);
    CHECK(!closed);

    client.close();
    auto learned = co_await eventually(2s, [&] { return closed; });
    CHECK(learned);
}

TEST_WITHIN(5s,
            "nobody is told of refusals, nor of clients that went away, nor of what was cut off",
            "[http]")
{
    int errors = 0, records = 0, handled = 0;
    auto handler = [&](http::request& request, http::response& response) -> task<>
    {
        ++handled;
        if (request.target() == "/refused")
            throw http::refusal(404, "not here");
        if (request.target() == "/cut")
            co_await response.write("half");
        co_await request.body();
    };
    http::server_options options;
    options.on_error = [&](const http::request&, std::exception_ptr)
    {
        ++errors;
    };
    options.on_request = [&](const http::access_record&)
    {
        ++records;
    };
    http::server server(handler, options);
    raw_client refused(server);
    co_await refused.send("GET /refused HTTP/1.1\r\nHost: b\r\n\r\n");
    co_await refused.response();
    CHECK(records == 1);

    for (std::string target : {"/gone", "/cut"})
    {
        raw_client gone(server);
        auto before = handled;
        co_await gone.send("POST " + target +
                           " HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nab");
        auto reached = co_await eventually(2s, [&] { return handled > before; });
        CHECK(reached);
        gone.socket().set_option(asio::socket_base::linger(true, 0));
        gone.close();
        auto left = co_await eventually(2s, [&] { return server.connections() == 1; });
        CHECK(left);
    }
    CHECK(errors == 0);
    CHECK(handled == 3);
    CHECK(records <= 2); // of the first of them, whose 400 the system may still have taken
}

TEST_WITHIN(10s, "a time of zero is off, beside others that are short", "[http]")
{
    http::server_options options;
    options.headers_timeout = options.request_timeout = 100ms;
    options.keep_alive_timeout = 0ms;
    http::server server(hello, options);
    raw_client client(server);
    co_await client.send(get);
    co_await client.response();

    co_await brood::sleep(500ms);

    CHECK(server.connections() == 1);
    co_await client.send(get);
    auto answer = co_await client.response();
    CHECK(answer->status == 200);
}

TEST_WITHIN(5s, "what accepting throws ends serve() with it, and leaves the others be", "[http]")
{
    http::server server(hello);
    raw_client client(server);
    std::string said;
    try
    {
        co_await server.serve(broken_listener());
    }
    catch (const std::runtime_error& thrown)
    {
        said = thrown.what();
    }
    CHECK(said == "nobody can come");

    co_await client.send(get);
    auto answer = co_await client.response();
    CHECK(answer->status == 200);
}

TEST_WITHIN(10s, "a server serves several listeners, and closes all of them", "[http]")
{
    http::server server(hello);
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor first(brood::default_executor(), any),
        second(brood::default_executor(), any);
    auto ports = {first.local_endpoint(), second.local_endpoint()};
    int returned = 0;
    for (auto each : {&first, &second})
    {
        auto serving = server.serve(std::move(*each));
        asio::co_spawn(brood::default_executor(), std::move(serving),
                       [&](std::exception_ptr) { ++returned; });
    }
    std::vector<asio::ip::tcp::socket> clients;
    for (auto port : ports)
    {
        clients.emplace_back(brood::default_executor());
        co_await clients.back().async_connect(port, asio::use_awaitable);
    }
    auto come = co_await eventually(2s, [&] { return server.connections() == 2; });
    CHECK(come);
    co_await asio::async_write(clients.back(), asio::buffer("GET / HTTP/1.1\r\nHo", 18),
                               asio::use_awaitable);
    co_await eventually(2s, [&] { return server.idle() == 1; });

    server.close();
    for (auto port : ports)
    {
        asio::ip::tcp::socket late(brood::default_executor());
        std::error_code refused;
        auto token = asio::redirect_error(asio::use_awaitable, refused);
        co_await eventually(2s, [&] { return server.connections() == 1; });
        co_await late.async_connect(port, token);
        CHECK(refused == asio::error::connection_refused);
    }
    CHECK(returned == 0); // one is still served
    clients.back().close();
    auto over = co_await eventually(2s, [&] { return returned == 2; });
    CHECK(over);
}

TEST_WITHIN(5s, "a client that resets its connection between two requests harms nobody", "[http]")
{
    http::server server(hello);
    raw_client rude(server), other(server);
    co_await rude.send(get);
    auto idle = co_await brood::test::eventually(5s, [&] { return server.idle() == 2; });
    CHECK(idle);
    rude.close(); // with the response unread, which resets it
    auto gone = co_await brood::test::eventually(5s, [&] { return server.connections() == 1; });
    CHECK(gone);
    co_await other.send(get);
    auto answer = co_await other.response();
    CHECK(answer->status == 200);
}

TEST_CASE("a server may be abandoned at any step", "[http]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            http::server server(echo);
            raw_client client(server);
            co_await client.send(post("hello") + post("again"));
            auto answer = co_await client.response();
            CHECK(answer->body == "hello");
            co_await client.response();
            client.close();
            co_await server.closed();
        });
}
