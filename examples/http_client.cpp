// SPDX-License-Identifier: BSL-1.0
// A client that watches a server's health: requests share a connection, every status is an answer,
// and what fails is one of few errors. (Its what() names the URL, the step and the limit.)
//
// Prints:
//   200 ready
//   503 draining
//   2 requests, 1 connection
//   deadline passed
//   Connection refused
#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
namespace http = brood::http;

brood::task<> serve(http::request& request, http::response& response)
{
    static int asked = 0;
    if (request.path() == "/slow")
        co_await brood::sleep(1min);
    if (++asked > 1)
        throw http::refusal(503, "draining");
    co_await response.end("ready\n");
}

brood::task<> ask(http::client client, std::string url)
{
    try
    {
        auto answer = co_await client.get(url);
        std::cout << answer.status << ' ' << answer.body;
    }
    catch (const std::system_error& failed) // brood::error is one
    {
        std::cout << failed.code().message() << '\n';
    }
}

brood::task<> watch(brood::process& self)
{
    auto listener = co_await self.listen(0);
    auto url = "http://127.0.0.1:" + std::to_string(listener.local_endpoint().port());
    http::server server(serve);
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, server.serve(listener), asio::detached);

    http::client_options options;
    options.response_timeout = 50ms;
    http::client client(options);
    co_await ask(client, url + "/health");
    co_await ask(client, url + "/health");
    std::cout << "2 requests, " << server.connections() << " connection\n";
    co_await ask(client, url + "/slow");

    client.close_idle();
    server.close();
    listener.close();
    co_await ask(client, url + "/health");
}

int main()
{
    return brood::run(watch);
}
