// SPDX-License-Identifier: BSL-1.0
// A server for tools/bench, alone or as a cluster. `GET /` is answered with a line, `GET /N` with N
// bytes, and `POST` with the number of bytes that came. Prints its port.
//
// usage: http alone | shared WORKERS | round_robin WORKERS
#include "measure.hpp"

#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <asio/ip/tcp.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace
{

std::vector<std::string> words;

brood::task<> send_bytes(brood::http::response& response, std::size_t count)
{
    std::string block(std::min<std::size_t>(count, 65'536), 'x');
    response.set("Content-Length", std::to_string(count));
    while (count != 0)
    {
        auto part = std::string_view(block).substr(0, count);
        co_await response.write(part);
        count -= part.size();
    }
    co_await response.end();
}

brood::task<> count_bytes(brood::http::request& request, brood::http::response& response)
{
    std::size_t count = 0;
    while (auto piece = co_await request.chunk())
        count += piece->size();
    auto text = std::to_string(count);
    co_await response.end(text);
}

brood::task<> answer(brood::http::request& request, brood::http::response& response)
{
    if (request.method() == "POST")
        co_await count_bytes(request, response);
    else if (request.target() == "/")
        co_await response.end("hello\n");
    else
        co_await send_bytes(response, std::stoul(request.target().substr(1)));
}

brood::task<> serve(brood::process& self)
{
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(any);
    if (self.is_primary())
        bench::report(listener.local_endpoint().port());
    brood::http::server_options options;
    options.keep_alive_timeout = std::chrono::seconds(60); // as the other contestants
    brood::http::server server(answer, options);
    co_await server.serve(listener);
}

brood::task<> serve_by_workers()
{
    brood::cluster_settings settings;
    settings.size = std::stoul(words.at(1));
    if (words.at(0) == "round_robin")
        settings.dispatch = brood::dispatch_policy::round_robin();
    brood::cluster<serve> workers(settings);
    co_await workers.ready();
    bench::report(workers.workers()[0].port());
    co_await workers.exit(); // of none, before SIGTERM ends all
}

brood::task<> start(brood::process& self)
{
    if (words.at(0) == "alone")
        co_await serve(self);
    else
        co_await serve_by_workers();
}

} // namespace

int main(int argc, char** argv)
{
    words.assign(argv + 1, argv + argc);
    return brood::run(start);
}
