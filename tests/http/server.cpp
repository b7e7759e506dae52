// SPDX-License-Identifier: BSL-1.0
#include <brood/http/server.hpp>

#include "support/raw_client.hpp"
#include "support/within.hpp"

using namespace std::chrono_literals;
using brood::task;
using brood::test::raw_client;
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

const std::string get = "GET / HTTP/1.1\r\nHost: brood\r\n\r\n";

} // namespace

TEST_CASE("a request is answered by the handler, with length and date", "[http]")
{
    within(5s,
           []() -> task<>
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
               CHECK(!answer->header("Connection"));
           });
}

TEST_CASE("a connection serves one request after the other", "[http]")
{
    within(5s,
           []() -> task<>
           {
               http::server server(echo);
               raw_client client(server);
               for (int number = 0; number < 100; ++number)
               {
                   auto body = std::to_string(number);
                   co_await client.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: " +
                                        std::to_string(body.size()) + "\r\n\r\n" + body);
                   auto answer = co_await client.response();
                   CHECK(answer->body == body);
               }
           });
}
