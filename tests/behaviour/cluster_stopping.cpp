// SPDX-License-Identifier: BSL-1.0
// A primary that is told to stop while clients ask its workers, or while workers do not want to.
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/signal_table.hpp>
#include <brood/cluster/supervisor.hpp>

#include "support/catch.hpp"
#include "support/line_server.hpp"
#include "support/load.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"
#include "support/within.hpp"

#include <asio/ip/udp.hpp>
#include <asio/redirect_error.hpp>

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <array>

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::udp;
using brood::cluster;
using brood::dispatch_policy;
using brood::process;
using brood::task;

namespace
{

task<> stubborn_worker(process& self)
{
    std::signal(SIGTERM, SIG_IGN);
    self.ready();
    for (;;)
        co_await brood::sleep(1h);
}

/// Serves until a signal says otherwise. Tells its port.
task<> serving_primary(process& self, bool hands_over)
{
    brood::cluster_settings settings;
    settings.size = 4;
    settings.stop = brood::drain_policy(2s);
    if (hands_over)
        settings.dispatch = dispatch_policy::round_robin();
    cluster<serve_lines> workers(settings);
    co_await workers.ready();
    self.send(workers.workers().at(0).port());
    co_await brood::obey_signals(workers);
}

/// Has workers that do not stop when they are asked. Tells who they are.
task<> primary_of_the_stubborn(process& self)
{
    brood::cluster_settings settings;
    settings.size = 4;
    cluster<stubborn_worker> workers(settings);
    co_await workers.ready();
    std::vector<pid_t> pids;
    for (auto& each : workers.workers())
        pids.push_back(each.pid());
    self.send(pids);
    co_await brood::obey_signals(workers);
}

using pids = std::vector<pid_t>;

/// Loses no patience by itself: says when it stops, and waits for its workers.
template <auto Worker>
task<> patient_primary(process& self)
{
    brood::cluster_settings settings;
    settings.size = 2;
    cluster<Worker> workers(settings);
    co_await workers.ready();
    self.send(pids{workers.workers().at(0).pid(), workers.workers().at(1).pid()});
    co_await self.shutdown();
    self.send(pids());
    co_await workers.stop();
}

/// The same with a tree.
template <auto Worker>
task<> patient_top(process& self)
{
    brood::supervisor tree(brood::strategy::rest_for_one);
    brood::cluster_settings settings;
    settings.size = 1;
    tree.add<Worker>("web").template add_cluster<Worker>("pool", settings);
    tree.start();
    co_await tree.ready();
    self.send(pids{tree.worker("web").pid(), tree.worker("pool/0").pid()});
    co_await self.shutdown();
    self.send(pids());
    co_await tree.stop();
}

/// Stops only when somebody is in a hurry already.
task<> late_primary(process& self)
{
    brood::cluster_settings settings;
    settings.size = 2;
    cluster<stubborn_worker> workers(settings);
    co_await workers.ready();
    self.send(pids{workers.workers().at(0).pid(), workers.workers().at(1).pid()});
    co_await self.shutdown();
    self.send(pids());
    co_await self.message<int>();
    co_await workers.stop();
}

task<> slow_worker(process& self)
{
    self.ready();
    co_await self.shutdown();
    co_await brood::sleep(1500ms); // more than who is hastened has
}

/// Answers each datagram with its number, a while after it came, until it can receive no more.
task<> answer_datagrams(process& self)
{
    udp::endpoint any(asio::ip::address_v4::loopback(), 0), client;
    auto socket = co_await self.bind(any);
    self.send(socket.local_endpoint().port());
    for (;;)
    {
        std::array<char, 1> question{};
        std::error_code failed;
        auto into = asio::buffer(question);
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        co_await socket.async_receive_from(into, client, token);
        if (failed == asio::error::operation_aborted)
            break;
        self.send(std::uint16_t{0}); // it has one
        co_await brood::sleep(200ms);
        auto answer = std::to_string(self.worker_id());
        auto from = asio::buffer(answer);
        co_await socket.async_send_to(from, client, asio::use_awaitable);
    }
}

/// A connection, or none when the port is closed.
task<std::optional<asio::ip::tcp::socket>> connect_while_open(std::uint16_t port)
{
    try
    {
        auto server = co_await connect_to(port);
        co_return server;
    }
    catch (const std::system_error& refused)
    {
        if (refused.code() != asio::error::connection_refused)
            throw;
    }
    co_return std::nullopt;
}

/// As ask_lines(), but being refused is no failure, and the end.
task<> ask_until_refused(load& of, bool keep)
{
    for (;;)
    {
        auto server = co_await connect_while_open(of.port);
        if (!server)
            break;
        co_await ask_lines_on(of, std::move(*server), keep);
    }
}

} // namespace

TEST_CASE("TERM under load: who is connected is answered, and refused is who comes too late",
          "[cluster][T10]")
{
    for (bool hands_over : {false, true})
        within(30s,
               [hands_over]() -> task<>
               {
                   INFO((hands_over ? "round robin" : "shared"));
                   auto primary = brood::fork<serving_primary>(hands_over);
                   auto port = co_await primary.message<std::uint16_t>();
                   REQUIRE(port);
                   load clients;
                   clients.port = *port;
                   begin(clients, ask_until_refused, 10);
                   auto asked = [&]
                   {
                       return clients.answered > 200;
                   };
                   auto busy = co_await eventually(10s, asked);
                   REQUIRE(busy);

                   auto begun = clock::now();
                   primary.kill(SIGTERM);
                   auto status = co_await primary.exit();
                   auto took = clock::now() - begun;
                   while (clients.running != 0)
                       co_await brood::sleep(1ms);

                   CHECK(status.code == 0);
                   CHECK(status.success());
                   CHECK(took <= patient(2s + 1s));
                   CHECK(clients.failures == std::vector<std::string>());
               });
}

TEST_CASE("a second TERM 200 ms after the first, or INT, ends even the stubborn in a second",
          "[cluster][T11]")
{
    for (bool twice : {true, false})
        within(30s,
               [twice]() -> task<>
               {
                   INFO((twice ? "TERM twice" : "INT"));
                   auto primary = brood::fork<primary_of_the_stubborn>();
                   auto pids = co_await primary.message<std::vector<pid_t>>();
                   REQUIRE((pids && pids->size() == 4));
                   if (twice)
                   {
                       primary.kill(SIGTERM);
                       co_await brood::sleep(200ms);
                       for (auto pid : *pids)
                           CHECK(alive(pid)); // they have half a minute to drain
                   }

                   auto begun = clock::now();
                   primary.kill(twice ? SIGTERM : SIGINT);
                   auto status = co_await primary.exit();
                   auto took = clock::now() - begun;

                   CHECK(status.code == 0); // that of the program, as docs/clusters.md says
                   CHECK(status.success());
                   for (auto pid : *pids)
                       CHECK(gone(pid));
                   // They are killed after a second; the rest is for the kernel to take them down.
                   CHECK(took <= patient(1250ms));
               });
}

TEST_WITHIN(20s, "a worker that waits for datagrams ends at once when it is asked to stop",
            "[cluster]")
{
    brood::cluster_settings settings;
    settings.size = 2; // with half a minute to drain
    cluster<answer_datagrams> workers(settings);
    auto bound = co_await workers.message<std::uint16_t>();
    REQUIRE(bound);
    co_await workers.message<std::uint16_t>();
    auto all = workers.workers();
    auto begun = clock::now();
    co_await workers.stop();

    CHECK(clock::now() - begun < patient(5s));
    for (auto& each : all)
        CHECK(each.ended()->status.success());
}

TEST_WITHIN(20s, "a datagram that a worker has is answered, and the next one is for its successor",
            "[cluster]")
{
    brood::cluster_settings settings;
    settings.size = 1;
    cluster<answer_datagrams> workers(settings);
    auto bound = co_await workers.message<std::uint16_t>();
    REQUIRE(bound);
    udp::endpoint port(asio::ip::address_v4::loopback(), bound->message);
    udp::socket client(workers.executor(), udp::v4());
    client.send_to(asio::buffer("?", 1), port);
    co_await workers.message<std::uint16_t>(); // the first has it

    auto first = workers.workers().at(0);
    auto ended = co_await first.stop();
    client.send_to(asio::buffer("?", 1), port);
    std::string answers(2, ' ');
    for (auto& each : answers)
    {
        auto into = asio::buffer(&each, 1);
        co_await client.async_receive(into, asio::use_awaitable);
    }

    CHECK(answers == "12");
    CHECK(ended.status.success());
    co_await workers.stop();
}

TEST_CASE("a second TERM hastens the stop that shutdown() began, of a cluster and of a supervisor",
          "[cluster]")
{
    for (bool tree : {false, true})
        within(30s,
               [tree]() -> task<>
               {
                   INFO((tree ? "supervisor" : "cluster"));
                   auto primary = tree ? brood::fork<patient_top<stubborn_worker>>()
                                       : brood::fork<patient_primary<stubborn_worker>>();
                   auto workers = co_await primary.message<pids>();
                   REQUIRE((workers && workers->size() == 2));
                   primary.kill(SIGTERM);
                   co_await primary.message<pids>(); // it stops
                   co_await brood::sleep(200ms);
                   CHECK(alive(workers->at(1))); // it has half a minute
                   auto begun = clock::now();
                   primary.kill(SIGTERM);
                   auto status = co_await primary.exit();

                   CHECK(status.success());
                   CHECK(clock::now() - begun < patient(2500ms));
                   for (auto pid : *workers)
                       CHECK(gone(pid));
               });
}

TEST_WITHIN(30s, "one TERM alone hastens nothing", "[cluster]")
{
    auto primary = brood::fork<patient_primary<slow_worker>>();
    auto workers = co_await primary.message<pids>();
    REQUIRE((workers && workers->size() == 2));
    auto begun = clock::now();
    primary.kill(SIGTERM);
    auto status = co_await primary.exit();

    CHECK(status.success());
    CHECK(clock::now() - begun >= 1500ms);
}

TEST_WITHIN(20s, "a stop that begins after the second TERM is urgent at once", "[cluster]")
{
    auto primary = brood::fork<late_primary>();
    auto workers = co_await primary.message<pids>();
    REQUIRE((workers && workers->size() == 2));
    primary.kill(SIGTERM);
    co_await primary.message<pids>(); // it has heard the first
    primary.kill(SIGTERM);
    co_await brood::sleep(100ms);
    primary.send(1);
    auto status = co_await primary.exit();
    CHECK(status.success());
    for (auto pid : *workers)
        CHECK(gone(pid));
}
