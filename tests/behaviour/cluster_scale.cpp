// SPDX-License-Identifier: BSL-1.0
// Many workers, many ends, many reloads, many connections: nothing is lost, and nothing grows.
#include <brood/cluster/cluster.hpp>

#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/descriptors.hpp"
#include "support/echo.hpp"
#include "support/line_server.hpp"
#include "support/load.hpp"
#include "support/own_memory.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <asio/write.hpp>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::use_awaitable;
using brood::cluster;
using brood::cluster_settings;
using brood::dispatch_policy;
using brood::process;
using brood::task;

namespace
{

// AddressSanitizer makes each process many times larger and slower to start.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t at_once = 50, kills = 500, connections = 1'000;
constexpr std::size_t growth = 256 << 20;
constexpr int reloads = 3;
#else
constexpr std::size_t at_once = 1'000, kills = 10'000, connections = 10'000;
constexpr std::size_t growth = 4 << 20;
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

/// Says to everybody who connects which worker this is.
task<> tell_who(process& self)
{
    auto listener = co_await self.listen(0);
    auto text = std::to_string(self.worker_id());
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        co_await asio::async_write(*client, asio::buffer(text), use_awaitable);
    }
}

} // namespace

TEST_WITHIN(120s, "a thousand workers of one cluster are started, asked and stopped",
            "[cluster_scale]")
{
    cluster<echo> workers(tireless(at_once));
    auto ready = co_await workers.ready();
    CHECK(ready);
    auto all = workers.workers();
    REQUIRE(all.size() == at_once);
    for (std::size_t index = 0; index < at_once; ++index)
        all[index].send(static_cast<int>(index));
    for (std::size_t index = 0; index < at_once; ++index)
    {
        auto answer = co_await all[index].message<int>();
        CHECK(answer == static_cast<int>(index));
    }
    co_await workers.stop();
    std::size_t ends = 0;
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
        ends += ended->failed() ? 0u : 1u;
    }
    CHECK(ends == at_once);
}

TEST_WITHIN(240s,
            "ten thousand kills over sixty-four workers: each end is told once, nothing grows",
            "[cluster_scale]")
{
    constexpr std::size_t size = 64;
    cluster<echo> workers(tireless(size));
    co_await workers.ready();
    std::minstd_rand random(Catch::rngSeed());
    std::set<std::uint64_t> told;
    std::size_t memory = 0, descriptors = 0;
    for (std::size_t count = 0; count < kills; ++count)
    {
        if (count == kills / 10)
        {
            co_await workers.ready();
            memory = resident_memory();
            descriptors = open_descriptors().size();
        }
        auto all = workers.workers();
        if (!all.empty())
            all[random() % all.size()].kill(SIGKILL);
        auto ended = co_await workers.exit();
        REQUIRE(ended);
        if (!told.insert(ended->id).second)
            FAIL("told twice: " << to_string(*ended));
    }
    auto ready = co_await workers.ready();
    CHECK(ready);
    CHECK(workers.workers().size() == size);
    CHECK(open_descriptors().size() <= descriptors + 8);
    CHECK(resident_memory() <= memory + growth);
    auto stats = workers.stats();
    CHECK(stats.starts == told.size() + size);
    co_await workers.stop();
}

TEST_CASE("twenty rolling reloads under load fail no request", "[cluster_scale][T12]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin()})
        within(120s,
               [&]() -> task<>
               {
                   auto settings = tireless(4);
                   settings.dispatch = dispatch;
                   cluster<serve_lines> workers(settings);
                   co_await workers.ready();
                   load clients;
                   clients.port = workers.workers().at(0).port();
                   begin(clients, ask_lines, 128);
                   co_await reload_under(clients, workers, reloads, 128);
                   co_await end(clients);
                   CHECK(clients.failures == std::vector<std::string>());
                   CHECK(workers.stats().failures == 0);
                   co_await workers.stop();
               });
}

TEST_WITHIN(120s, "round robin is fair within one connection of ten thousand", "[cluster_scale]")
{
    auto settings = tireless(4);
    settings.dispatch = dispatch_policy::round_robin();
    cluster<tell_who> workers(settings);
    co_await workers.ready();
    auto port = workers.workers().at(0).port();
    std::map<std::string, std::size_t> served;
    for (std::size_t count = 0; count < connections; ++count)
    {
        auto who = co_await ask(port);
        ++served[who];
    }
    REQUIRE(served.size() == 4);
    for (auto& [who, count] : served)
    {
        CHECK(count + 1 >= connections / 4);
        CHECK(count <= connections / 4 + 1);
    }
    co_await workers.stop();
}

TEST_CASE("while no worker lives connections wait, and are all served", "[cluster_scale]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin()})
        within(60s,
               [&]() -> task<>
               {
                   auto settings = tireless(2);
                   settings.dispatch = dispatch;
                   settings.restart.delay.first = 300ms;
                   cluster<tell_who> workers(settings);
                   co_await workers.ready();
                   auto port = workers.workers().at(0).port();
                   for (auto& each : workers.workers())
                   {
                       each.kill(SIGKILL);
                       co_await each.exit();
                   }
                   auto executor = co_await asio::this_coro::executor;
                   constexpr int clients = 50;
                   int served = 0, failed = 0;
                   for (int client = 0; client < clients; ++client)
                       asio::co_spawn(executor, ask(port),
                                      [&](std::exception_ptr why, const std::string& who)
                                      { ++(why || who.empty() ? failed : served); });
                   CHECK(workers.workers().empty());
                   while (served + failed < clients)
                       co_await brood::sleep(1ms);
                   CHECK(served == clients);
                   co_await workers.stop();
               });
}
