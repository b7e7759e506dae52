// SPDX-License-Identifier: BSL-1.0
#include <brood/http/client.hpp>

#include <brood/base/loop.hpp>

#include "support/http_failure.hpp"
#include "support/http_servers.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <csignal>
#include <optional>
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

// Answers with what was asked.
task<> echo(http::request& request, http::response& response)
{
    auto body = co_await request.body();
    response.set("X-Method", request.method());
    response.set("X-Host", request.header("Host").value_or(""));
    co_await response.end(request.target() + ' ' + body);
}

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string status_line(raw_peer& peer)
{
    auto body = std::to_string(peer.number);
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

TEST_WITHIN(5s, "get() gives status, headers and the whole body", "[http]")
{
    running_server server(echo);

    auto answer = co_await http::get(server.url("/books?page=2"));

    CHECK(answer.status == 200);
    CHECK(answer.ok());
    CHECK(answer.body == "/books?page=2 ");
    CHECK(answer.header("x-method") == "GET");
    CHECK("http://" + std::string(*answer.header("X-Host")) + "/" == server.url());
    CHECK(answer.header("Connection") == "close");
}

TEST_WITHIN(5s, "a request has a method, headers and a body", "[http]")
{
    running_server server(echo);
    http::client client;
    http::client_request request("PUT", server.url("/b"), "the body");
    request.set("Host", "other.example");

    auto answer = co_await client.fetch(std::move(request));

    CHECK(answer.body == "/b the body");
    CHECK(answer.header("X-Method") == "PUT");
    CHECK(answer.header("X-Host") == "other.example");
}

TEST_WITHIN(5s, "every status is an answer", "[http]")
{
    auto handler = [](http::request&, http::response&) -> task<>
    {
        throw http::refusal(404, "no such book");
        co_return;
    };
    running_server server(handler);

    auto answer = co_await http::get(server.url());

    CHECK(answer.status == 404);
    CHECK(!answer.ok());
    CHECK(answer.body == "no such book\n");
}

TEST_WITHIN(5s, "requests one after the other share a connection", "[http]")
{
    running_server server(echo);
    http::client client;
    for (int count = 0; count < 20; ++count)
    {
        auto body = std::to_string(count);
        http::client_request request("POST", server.url(), body);
        auto answer = co_await client.fetch(std::move(request));
        CHECK(answer.body == "/ " + body);
        CHECK(client.idle() == 1);
    }
    CHECK(server.server.connections() == 1);
}

TEST_WITHIN(5s, "requests at the same time have a connection each, of which so many are kept",
            "[http]")
{
    running_server server(echo);
    http::client_options options;
    options.max_idle_per_host = 3;
    http::client client(options);
    {
        std::vector<http::client_response> open;
        for (int count = 0; count < 5; ++count)
        {
            auto response = co_await client.send(http::client_request(server.url()));
            open.push_back(std::move(response));
        }
        CHECK(server.server.connections() == 5);
        CHECK(client.idle() == 0);
        for (auto& response : open)
        {
            auto body = co_await response.body();
            CHECK(body == "/ ");
        }
    }
    CHECK(client.idle() == 3);
    auto closed = co_await eventually(2s, [&] { return server.server.connections() == 3; });
    CHECK(closed);

    client.close_idle();
    CHECK(client.idle() == 0);
}

TEST_WITHIN(5s, "hosts have connections of their own", "[http]")
{
    raw_server one(ok), two(ok);
    http::client client;
    for (int count = 0; count < 3; ++count)
    {
        auto first = co_await client.get(one.url());
        auto second = co_await client.get(two.url());
        CHECK(first.body + second.body == "okok");
    }
    CHECK(client.idle() == 2);
    CHECK(one.connections() == 1);
    CHECK(two.connections() == 1);
}

TEST_WITHIN(5s, "copies of a client share its connections", "[http]")
{
    raw_server server(ok);
    http::client client;
    auto copy = client;
    co_await client.get(server.url());
    co_await copy.get(server.url());

    CHECK(server.connections() == 1);
}

TEST_CASE("kept connections do not keep a loop from ending, and survive it", "[http]")
{
    std::optional<http::client> client;
    client.emplace();
    within(5s,
           [&client]() -> task<>
           {
               asio::io_context loop;
               brood::default_executor_scope scope(loop.get_executor());
               running_server server(echo);
               bool over = false;
               auto ask = [](http::client by, std::string url, bool& done) -> task<>
               {
                   co_await by.get(std::move(url));
                   done = true;
               };
               asio::co_spawn(loop, ask(*client, server.url(), over), asio::detached);
               while (!over)
                   loop.run_one();
               server.server.close_all();
               server.server.close();
               loop.run_for(2s);
               CHECK(loop.stopped());
               CHECK(client->idle() == 1);
               client->close_idle();
               co_return;
           });
}

TEST_WITHIN(5s, "a kept connection that the server has closed is not used", "[http]")
{
    auto once = [](raw_peer& peer) -> task<>
    {
        co_await peer.read_until();
        co_await peer.send(status_line(peer));
    };
    raw_server server(once);
    http::client client;
    auto first = co_await client.get(server.url());
    CHECK(client.idle() == 1);
    auto closed = co_await eventually(2s, [&] { return server.open() == 0; });
    CHECK(closed);

    http::client_request request("POST", server.url(), "not to be sent twice");
    auto second = co_await client.fetch(std::move(request));

    CHECK(first.body == "1");
    CHECK(second.body == "2");
}

namespace
{

// Closes each connection when it gets a second request, having read it.
task<> answer_once(raw_peer& peer)
{
    co_await peer.read_until();
    co_await peer.send(status_line(peer));
    co_await peer.read_until();
}

} // namespace

TEST_WITHIN(5s, "an idempotent request on a kept connection that is closed is sent again, once",
            "[http]")
{
    for (std::string method : {"GET", "PUT", "DELETE", "OPTIONS"})
    {
        raw_server server(answer_once);
        http::client client;
        co_await client.get(server.url());
        http::client_request request(method, server.url());
        auto second = co_await client.fetch(std::move(request));
        CHECK(second.body == "2");
        CHECK(server.connections() == 2);
    }
}

TEST_WITHIN(5s, "another request on a kept connection that is closed fails and says why", "[http]")
{
    raw_server server(answer_once);
    http::client client;
    co_await client.get(server.url());
    http::client_request request("POST", server.url("/order"), "one book");

    auto failed = co_await failure_of(client, request);

    CHECK(failed.code == brood::errc::closed);
    CHECK_THAT(failed.text, ContainsSubstring("POST " + server.url("/order")));
    CHECK_THAT(failed.text, ContainsSubstring("may have been carried out"));
    CHECK(server.connections() == 1);
}

TEST_WITHIN(5s, "a new connection that is closed without an answer is not tried again", "[http]")
{
    for (bool reads : {true, false})
    {
        auto script = [reads](raw_peer& peer) -> task<>
        {
            if (reads)
                co_await peer.read_until();
        };
        raw_server server(script);
        auto failed = co_await failure_of(http::client(), http::client_request(server.url("/a")));
        CHECK(failed.code == brood::errc::closed);
        CHECK_THAT(failed.text, ContainsSubstring("GET " + server.url("/a")));
        CHECK_THAT(failed.text, ContainsSubstring("closed"));
        CHECK(server.connections() == 1);
    }
}

TEST_WITHIN(5s, "a connection with something unread behind the response is not kept", "[http]")
{
    raw_server server(ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    http::client client;
    auto first = co_await client.get(server.url());
    CHECK(client.idle() == 0);
    auto second = co_await client.get(server.url());

    CHECK(first.body == "ok");
    CHECK(second.body == "ok");
    CHECK(server.connections() == 2);
}

TEST_WITHIN(5s, "a connection is not kept when either side says close", "[http]")
{
    raw_server closing("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    raw_server old("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    raw_server keeping(ok);
    http::client client;
    co_await client.get(closing.url());
    co_await client.get(old.url());
    http::client_request request(keeping.url());
    request.set("Connection", "close");
    co_await client.fetch(request);

    CHECK(client.idle() == 0);
}

TEST_WITHIN(5s, "a response that is dropped in the middle closes its connection", "[http]")
{
    raw_server server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    http::client client;
    {
        auto response = co_await client.send(http::client_request(server.url()));
        auto piece = co_await response.chunk();
        CHECK(piece == "half");
    }
    CHECK(client.idle() == 0);
    auto closed = co_await eventually(2s, [&] { return server.open() == 0; });
    CHECK(closed);
}

TEST_WITHIN(5s, "a response without a body gives its connection back at once", "[http]")
{
    raw_server server("HTTP/1.1 204 No Content\r\n\r\n");
    http::client client;
    auto first = co_await client.send(http::client_request(server.url()));
    auto second = co_await client.send(http::client_request(server.url()));

    CHECK(first.complete());
    CHECK(second.status() == 204);
    CHECK(server.connections() == 1);
}

TEST_WITHIN(5s, "a request that is cancelled closes its connection", "[http]")
{
    auto silent = [](raw_peer& peer) -> task<>
    {
        co_await peer.stay();
    };
    raw_server server(silent);
    http::client client;
    asio::cancellation_signal cancel;
    std::exception_ptr thrown;
    auto executor = brood::default_executor();
    asio::co_spawn(executor, client.get(server.url()),
                   asio::bind_cancellation_slot(cancel.slot(),
                                                [&](std::exception_ptr failed, http::answer)
                                                { thrown = failed; }));
    auto asked = co_await eventually(2s, [&] { return server.open() == 1; });
    CHECK(asked);

    cancel.emit(asio::cancellation_type::terminal);

    auto closed = co_await eventually(2s, [&] { return server.open() == 0; });
    CHECK(closed);
    REQUIRE(thrown);
    std::error_code code;
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const std::system_error& failed)
    {
        code = failed.code();
    }
    CHECK(code == asio::error::operation_aborted);
    CHECK(client.idle() == 0);
}

TEST_CASE("a client can be abandoned at every step", "[http]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            running_server server(echo);
            http::client client;
            for (int count = 0; count < 2; ++count)
            {
                http::client_request request("POST", server.url(), "body");
                auto answer = co_await client.fetch(std::move(request));
                CHECK(answer.body == "/ body");
            }
            auto uploading = co_await client.upload(http::client_request("PUT", server.url()));
            co_await uploading.write("in ");
            co_await uploading.end("pieces");
            auto response = co_await uploading.response();
            auto body = co_await response.body();
            CHECK(body == "/ in pieces");
        });
}

TEST_WITHIN(5s, "a server on a local socket is asked by its path", "[http]")
{
    brood::test::temporary_directory directory;
    auto path = (directory.path() / "app.sock").string();
    auto executor = brood::default_executor();
    asio::local::stream_protocol::acceptor acceptor(executor,
                                                    asio::local::stream_protocol::endpoint(path));
    http::server server(echo);
    asio::co_spawn(executor, server.serve(std::move(acceptor)), asio::detached);
    http::client client;

    for (int count = 0; count < 2; ++count)
    {
        auto answer = co_await client.get("unix:" + path + ":/books?page=2");
        CHECK(answer.body == "/books?page=2 ");
        CHECK(answer.header("X-Host") == "localhost");
    }
    CHECK(client.idle() == 1);
    CHECK(server.connections() == 1);
}

TEST_WITHIN(5s, "names are looked up, and an IPv6 address is taken as it is", "[http]")
{
    running_server server(echo);
    auto port = server.url().substr(server.url().rfind(':'));
    auto answer = co_await http::get("http://localhost" + port);
    CHECK(answer.ok());

    auto failed = co_await failure_of(http::client(), http::client_request("http://[::1]:1/"));
    CHECK_THAT(failed.text, ContainsSubstring("connect to [::1]:1"));
}

TEST_WITHIN(5s, "what the system refuses names the step and the address", "[http]")
{
    auto acceptor = brood::test::local_acceptor();
    auto url = brood::test::url_of(acceptor);
    acceptor.close();
    auto refused = co_await failure_of(http::client(), http::client_request(url));
    CHECK(refused.code == std::errc::connection_refused);
    CHECK_THAT(refused.text, ContainsSubstring("GET " + url + ": connect to 127.0.0.1:"));

    auto missing =
        co_await failure_of(http::client(), http::client_request("unix:/no/such.sock:/health"));
    CHECK(missing.code == std::errc::no_such_file_or_directory);
    CHECK_THAT(missing.text, ContainsSubstring("connect to /no/such.sock"));

    auto too_long =
        co_await failure_of(http::client(), http::client_request("unix:/" + std::string(200, 'a')));
    CHECK(too_long.code == std::errc::filename_too_long);
}

TEST_WITHIN(20s, "a name that nobody has is an error of the lookup", "[http]")
{
    auto failed =
        co_await failure_of(http::client(), http::client_request("http://no.such.name.invalid/"));
    CHECK(failed.code);
    CHECK_THAT(failed.text, ContainsSubstring("no.such.name.invalid"));
}

TEST_CASE("a server that has gone does not end the client by SIGPIPE", "[http]")
{
    struct sigaction before, plain = {};
    plain.sa_handler = SIG_DFL;
    ::sigaction(SIGPIPE, &plain, &before);
    within(5s,
           []() -> task<>
           {
               auto gone = [](raw_peer& peer) -> task<>
               {
                   peer.close();
                   co_return;
               };
               raw_server server(gone);
               http::client_request request("POST", server.url(), std::string(20'000'000, 'x'));
               auto failed = co_await failure_of(http::client(), request);
               CHECK(failed.code == brood::errc::closed);
           });
    ::sigaction(SIGPIPE, &before, nullptr);
}
