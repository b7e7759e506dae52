// SPDX-License-Identifier: BSL-1.0
// A cluster whose workers are killed, replaced, and added and taken away while clients ask it.
#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/line_server.hpp"
#include "support/load.hpp"
#include "support/patience.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <cereal/types/string.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::exit_cause;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;
using event = brood::cluster_event::kind;

namespace
{

cluster_settings tireless(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    settings.restart.per_slot.failures = settings.restart.per_cluster.failures = 100'000;
    settings.restart.delay.base = settings.restart.delay.cap = 0ms;
    return settings;
}

/// Serves lines, unless a file says that something is wrong with it.
task<> serve_lines_if_well(process& self, std::string path)
{
    std::string wrong;
    std::getline(std::ifstream(path), wrong);
    if (wrong == "ends at once")
        co_return self.exit_code(1);
    if (wrong == "is never ready")
        co_return co_await self.shutdown();
    if (wrong == "dies soon")
    {
        self.ready();
        co_await brood::sleep(100ms);
        co_return self.exit_code(1);
    }
    co_await serve_lines(self);
}

/// As ask_lines(), but goes on when it was cut off.
task<> ask_whatever_happens(load& of, bool keep)
{
    while (!of.stop)
    {
        try
        {
            co_await ask_lines(of, keep);
        }
        catch (const std::system_error& cut)
        {
            of.failures.push_back(cut.what());
        }
    }
}

/// Starts ten clients once all workers are ready.
template <class Cluster, class Client>
task<> begin_with(load& of, Cluster& workers, Client client)
{
    co_await workers.ready();
    of.port = workers.workers().at(0).port();
    begin(of, client, 10);
}

/// Counts processes until the cluster has ended, and gives the most that there were at a time.
task<int> most_processes(brood::event_stream events, int at_first)
{
    int most = at_first;
    for (int now = at_first;;)
    {
        auto next = co_await events.next();
        if (!next)
            co_return most;
        now += next->what == event::fork ? 1 : next->what == event::exit ? -1 : 0;
        most = std::max(most, now);
    }
}

template <class Cluster>
std::set<std::uint64_t> ids(const Cluster& workers)
{
    std::set<std::uint64_t> result;
    for (auto& each : workers.workers())
        result.insert(each.id());
    return result;
}

} // namespace

TEST_WITHIN(120s, "a storm of kills under load costs the requests of the killed alone",
            "[cluster_load][T02]")
{
    constexpr int kills = 300, clients = 10;
    cluster<serve_lines> workers(tireless(4));
    load of;
    co_await begin_with(of, workers, ask_whatever_happens);
    std::minstd_rand random(Catch::rngSeed());
    for (int kill = 0; kill < kills; ++kill)
    {
        auto all = workers.workers();
        if (!all.empty())
            all[random() % all.size()].kill(SIGKILL);
        auto ended = co_await workers.exit();
        REQUIRE(ended);
    }
    co_await workers.ready();
    co_await end(of);
    auto stats = workers.stats();

    CHECK(stats.ready() == 4);
    CHECK(stats.starts == stats.exits + 4);
    CHECK(of.answered > 0);
    CHECK(of.failures.size() <= kills * clients);
    for (auto& failure : of.failures)
        CHECK_THAT(failure, !ContainsSubstring("wrong answer"));
    co_await workers.stop();
}

TEST_WITHIN(60s,
            "a rolling reload has never more than one process more than wanted, even when old ones "
            "take their time",
            "[cluster_load][T12]")
{
    cluster<[](process& self) -> task<>
            {
                self.ready();
                co_await self.shutdown();
                co_await brood::sleep(200ms);
            }>
        workers(tireless(4));
    co_await workers.ready();
    int most = 0;
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, most_processes(workers.events(), 4),
                   [&](std::exception_ptr, int count) { most = count; });
    auto report = co_await workers.reload();
    CHECK(report.replaced == 4);
    CHECK(ids(workers) == std::set<std::uint64_t>{5, 6, 7, 8});
    co_await workers.stop();
    auto counted = [&]
    {
        return most != 0;
    };
    auto over = co_await eventually(5s, counted);
    REQUIRE(over);
    CHECK(most == 5);
}

TEST_WITHIN(120s, "a reload that fails in any way fails no request, and the next good one succeeds",
            "[cluster_load][T13]")
{
    temporary_directory folder;
    auto path = folder.write("what is wrong", "");
    auto settings = tireless(4);
    settings.start_within = std::chrono::duration_cast<std::chrono::milliseconds>(patient(1s));
    cluster<serve_lines_if_well> workers(settings, path);
    load of;
    co_await begin_with(of, workers, ask_lines);
    brood::reload_options options;
    options.settle = 5s;
    for (auto wrong : {"ends at once", "is never ready", "dies soon"})
    {
        INFO(wrong);
        std::ofstream(path) << wrong << '\n';
        auto report = co_await workers.reload(options);
        REQUIRE(report.failure);
        CHECK(report.replaced == 0);
        CHECK((report.failure->cause == exit_cause::start_timeout) ==
              (wrong == std::string("is never ready")));
        CHECK(ids(workers) == std::set<std::uint64_t>{1, 2, 3, 4});
        CHECK(workers.stats().ready() == 4);
    }
    std::ofstream(path) << '\n';
    auto report = co_await workers.reload();
    co_await end(of);

    CHECK(report.replaced == 4);
    CHECK(of.answered > 0);
    CHECK(of.failures == std::vector<std::string>());
    co_await workers.stop();
}

TEST_CASE("thirty changes of size under load fail no request, and kill nobody",
          "[cluster_load][T18]")
{
    for (auto& dispatch : {brood::dispatch_policy::shared(), brood::dispatch_policy::round_robin()})
        within(120s,
               [&]() -> task<>
               {
                   auto settings = tireless(4);
                   settings.dispatch = dispatch;
                   cluster<serve_lines> workers(settings);
                   load of;
                   co_await begin_with(of, workers, ask_lines);
                   std::minstd_rand random(Catch::rngSeed());
                   for (int change = 0; change < 30; ++change)
                   {
                       auto size = std::size_t{1 + random() % 8};
                       co_await workers.scale(size);
                       CHECK(workers.workers().size() == size);
                   }
                   co_await end(of);
                   CHECK(of.answered > 0);
                   CHECK(of.failures == std::vector<std::string>());
                   co_await workers.stop();
                   for (;;)
                   {
                       auto ended = co_await workers.exit();
                       if (!ended)
                           break;
                       CHECK(ended->wanted());
                       CHECK(ended->status.success());
                   }
               });
}

TEST_CASE("recycling under load fails no request, one worker at a time, and counts nothing",
          "[cluster_load][T19]")
{
    for (auto& dispatch : {brood::dispatch_policy::shared(), brood::dispatch_policy::round_robin()})
        within(120s,
               [&]() -> task<>
               {
                   auto settings = tireless(4);
                   settings.dispatch = dispatch;
                   settings.recycle.max_connections = 50;
                   settings.recycle.min_lifetime = 0ms;
                   settings.restart.per_slot.failures = settings.restart.per_cluster.failures = 0;
                   cluster<serve_lines> workers(settings);
                   load of;
                   co_await begin_with(of, workers, ask_lines);
                   int most = 0;
                   auto executor = co_await asio::this_coro::executor;
                   asio::co_spawn(executor, most_processes(workers.events(), 4),
                                  [&](std::exception_ptr, int count) { most = count; });
                   for (int recycled = 0; recycled < 4; ++recycled)
                   {
                       auto ended = co_await workers.exit();
                       REQUIRE(ended);
                       CHECK(ended->cause == exit_cause::recycled);
                       CHECK(ended->status.success());
                   }
                   co_await end(of);
                   auto stats = workers.stats();
                   CHECK(of.answered > 4 * 40);
                   CHECK(of.failures == std::vector<std::string>());
                   CHECK(stats.ready() == 4);
                   CHECK(stats.failures == 0);
                   for (auto& slot : stats.workers)
                       CHECK(slot.failures == 0);
                   co_await workers.stop();
                   auto counted = [&]
                   {
                       return most != 0;
                   };
                   auto over = co_await eventually(5s, counted);
                   REQUIRE(over);
                   CHECK(most == 5);
               });
}
