// SPDX-License-Identifier: BSL-1.0
// HTTP in the workers of a cluster: one port, whatever shares it, and no request lost when workers
// come and go.
#include <brood/base/detail/asio.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/http/server.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/load.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::use_awaitable;
using brood::cluster;
using brood::cluster_settings;
using brood::dispatch_policy;
using brood::process;
using brood::task;
namespace http = brood::http;

namespace
{

#if defined(__SANITIZE_ADDRESS__)
constexpr int reloads = 3;
#else
constexpr int reloads = 20;
#endif

cluster_settings tireless(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    settings.restart.per_slot.failures = settings.restart.per_cluster.failures = 10'000'000;
    settings.restart.delay.base = settings.restart.delay.cap = 0ms;
    return settings;
}

// Says which process answers, and what it was sent.
task<> echo(http::request& request, http::response& response)
{
    auto body = co_await request.body();
    response.set("Worker", std::to_string(process::pid()));
    co_await response.end(body);
}

task<> serve(process& self)
{
    auto listener = co_await self.listen(0);
    co_await http::serve(listener, echo);
}

const std::string socket_variable = "BROOD_TEST_SOCKET";

task<> serve_locally(process& self)
{
    asio::local::stream_protocol::endpoint at(std::getenv(socket_variable.c_str()));
    auto listener = co_await self.listen(at);
    co_await http::serve(listener, echo);
}

std::string post(std::size_t number, bool keep)
{
    auto body = std::to_string(number);
    return "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: " + std::to_string(body.size()) +
           (keep ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n") + body;
}

struct answer
{
    std::string head, body;

    bool kept() const { return head.find("Connection: close") == std::string::npos; }

    std::string worker() const
    {
        auto begin = head.find("Worker: ") + 8;
        return head.substr(begin, head.find('\r', begin) - begin);
    }
};

// Nothing when the connection was closed before a byte of the answer came.
template <class Socket>
task<std::optional<answer>> ask(Socket& server, std::string request)
{
    auto writing = asio::async_write(server, asio::buffer(request), brood::detail::use_tuple);
    co_await std::move(writing);
    std::string text;
    auto into = asio::dynamic_buffer(text);
    auto reading = asio::async_read_until(server, into, "\r\n\r\n", brood::detail::use_tuple);
    auto read = co_await std::move(reading);
    auto failed = std::get<0>(read);
    auto size = std::get<1>(read);
    if (failed && text.empty())
        co_return std::nullopt;
    if (failed)
        throw std::system_error(failed, "an answer was cut off: " + text);
    answer result;
    result.head = text.substr(0, size);
    text.erase(0, size);
    auto place = result.head.find("Content-Length: ");
    auto length = std::stoul(result.head.substr(place + 16));
    if (text.size() < length)
        co_await asio::async_read(server, into, asio::transfer_exactly(length - text.size()),
                                  use_awaitable);
    result.body = text;
    co_return result;
}

task<answer> ask_once(std::uint16_t port, std::size_t number)
{
    auto server = co_await connect_to(port);
    auto said = co_await ask(server, post(number, false));
    co_return said.value();
}

struct http_load : load
{
    std::set<std::string> workers = {};
};

// One request after the other: on one connection as long as it is kept, or each on its own. A kept
// connection may be closed before a request reaches the server; then it is asked again, as every
// client of HTTP does (RFC 9112, section 9.3.1).
task<> ask_again_and_again(http_load& of, bool keep)
{
    while (!of.stop)
    {
        auto server = co_await connect_to(of.port);
        std::size_t here = 0;
        for (bool kept = true; kept && !of.stop; ++here)
        {
            auto number = ++of.asked;
            auto said = co_await ask(server, post(number, keep));
            if (!said && here == 0)
                throw std::runtime_error("a new connection was closed");
            if (said && said->body != std::to_string(number))
                throw std::runtime_error("wrong answer: " + said->head + said->body);
            if (said)
            {
                of.workers.insert(said->worker());
                ++of.answered;
            }
            kept = said && said->kept();
        }
    }
}

} // namespace

TEST_CASE("workers answer on one port under every policy, and one that dies is replaced",
          "[http_cluster]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin(),
                           dispatch_policy::least_loaded(), dispatch_policy::sticky(),
                           dispatch_policy::reuse_port()})
        within(20s,
               [&]() -> task<>
               {
                   auto settings = tireless(2);
                   settings.dispatch = dispatch;
                   cluster<serve> workers(settings);
                   co_await workers.ready();
                   auto port = workers.workers().at(0).port();
                   auto first = co_await ask_once(port, 1);
                   CHECK(first.body == "1");

                   ::kill(std::stoi(first.worker()), SIGKILL);
                   co_await workers.exit();
                   co_await workers.ready();
                   auto second = co_await ask_once(port, 2);
                   CHECK(second.body == "2");
                   CHECK(second.worker() != first.worker());
                   co_await workers.stop();
               });
}

TEST_CASE("twenty rolling reloads under load cut no request", "[http_cluster]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin()})
        within(120s,
               [&]() -> task<>
               {
                   auto settings = tireless(4);
                   settings.dispatch = dispatch;
                   cluster<serve> workers(settings);
                   co_await workers.ready();
                   http_load clients;
                   clients.port = workers.workers().at(0).port();
                   begin(clients, ask_again_and_again, 128);
                   co_await reload_under(clients, workers, reloads, 256);
                   co_await end(clients);
                   CHECK(clients.failures == std::vector<std::string>());
                   CHECK(clients.workers.size() > 4);
                   CHECK(workers.stats().failures == 0);
                   co_await workers.stop();
               });
}

TEST_WITHIN(60s, "recycling by connections cuts no request", "[http_cluster]")
{
    auto settings = tireless(2);
    settings.recycle.max_connections = 200;
    settings.recycle.min_lifetime = 0ms;
    cluster<serve> workers(settings);
    co_await workers.ready();
    http_load clients;
    clients.port = workers.workers().at(0).port();
    begin(clients, ask_again_and_again, 16);
    while (workers.stats().exits < 4 && clients.failures.empty())
        co_await brood::sleep(1ms);
    co_await end(clients);
    CHECK(clients.failures == std::vector<std::string>());
    CHECK(workers.stats().failures == 0);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker that is asked to stop answers what has begun, and ends",
            "[http_cluster]")
{
    cluster<serve> workers(tireless(1));
    co_await workers.ready();
    auto worker = workers.workers().at(0);
    auto idle = co_await connect_to(worker.port());
    auto busy = co_await connect_to(worker.port());
    auto request = post(1234, true);
    auto first = asio::buffer(request.data(), request.size() - 2);
    co_await asio::async_write(busy, first, use_awaitable);
    co_await brood::sleep(50ms); // the worker has taken both
    auto stopping = [](brood::cluster<serve>& all) -> task<>
    {
        co_await all.stop();
    };
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, stopping(workers), asio::detached);

    auto silence = co_await read_all(std::move(idle));
    CHECK(silence.empty());
    auto said = co_await ask(busy, "34");
    CHECK(said->body == "1234");
    CHECK(!said->kept());
    auto ended = co_await workers.exit();
    CHECK(ended->status.code == 0);
    CHECK(!ended->failed());
}

TEST_WITHIN(20s, "workers answer at a local socket that they share", "[http_cluster]")
{
    temporary_directory folder;
    auto path = (folder.path() / "http").string();
    auto settings = tireless(2);
    settings.spawn.env = brood::environment().set(socket_variable, path);
    cluster<serve_locally> workers(settings);
    co_await workers.ready();
    auto executor = co_await asio::this_coro::executor;
    asio::local::stream_protocol::socket server(executor);
    asio::local::stream_protocol::endpoint at(path);
    co_await server.async_connect(at, use_awaitable);

    auto said = co_await ask(server, post(7, true));

    CHECK(said->body == "7");
    co_await workers.stop();
}
