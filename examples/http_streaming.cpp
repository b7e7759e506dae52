// SPDX-License-Identifier: BSL-1.0
// A server that sends each piece of a body back as it comes: no more than one piece is in memory,
// however long the body is.
//
// Prints:
//   came back: ONE
//   came back: TWO
//   came back: THREE
#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <cctype>
#include <iostream>
#include <string>

namespace http = brood::http;

brood::task<> shout(http::request& request, http::response& response)
{
    while (auto piece = co_await request.chunk())
    {
        std::string louder(*piece);
        for (auto& letter : louder)
            letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
        co_await response.write(louder);
    }
}

brood::task<> talk(brood::process& self)
{
    auto listener = co_await self.listen(0);
    auto port = std::to_string(listener.local_endpoint().port());
    http::server server(shout);
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, server.serve(listener), asio::detached);

    http::client client;
    http::client_request question("POST", "http://localhost:" + port + "/");
    auto upload = co_await client.upload(question);
    co_await upload.write("one");
    auto response = co_await upload.response(); // has begun, though the request has not ended
    for (std::string next : {"two", "three", ""})
    {
        auto piece = co_await response.chunk();
        std::cout << "came back: " << *piece << '\n';
        co_await upload.write(next);
    }
    co_await upload.end();
}

int main()
{
    return brood::run(talk);
}
