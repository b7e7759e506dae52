// SPDX-License-Identifier: BSL-1.0
// A primary that is told to stop while clients ask its workers, or while workers do not want to.
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/signal_table.hpp>

#include "support/catch.hpp"
#include "support/line_server.hpp"
#include "support/load.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"
#include "support/within.hpp"

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
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
