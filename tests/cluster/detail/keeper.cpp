// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/detail/keeper.hpp>

#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <random>
#include <set>
#include <string>

using namespace std::chrono_literals;
using brood::cluster;
using brood::cluster_settings;
using brood::exit_cause;
using brood::task;
using Catch::Matchers::ContainsSubstring;
using event = brood::cluster_event::kind;

namespace
{

cluster_settings of_size(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    return settings;
}

/// Looks at its workers often, and ends a hung one soon.
cluster_settings watched()
{
    auto settings = of_size(1);
    settings.restart.when = brood::restart::temporary;
    settings.watchdog.tick = 20ms;
    settings.watchdog.stale_after = 400ms;
    settings.watchdog.end = brood::stop_policy(
        std::vector<brood::stop_step>{{false, SIGABRT, 100ms}, {false, SIGKILL, 5s}});
    return settings;
}

task<> wait_for_end(brood::process& self)
{
    co_await self.message<int>();
}

template <class Cluster>
task<brood::exit_info> only_end(Cluster& workers)
{
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    auto info = *ended;
    co_return info;
}

} // namespace

TEST_CASE("a worker that spins is found, told as such, and replaced", "[keeper][T08]")
{
    within(30s,
           []() -> task<>
           {
               cluster<[](brood::process& self) -> task<>
                       {
                           self.ready();
                           co_await brood::sleep(100ms);
                           for (volatile bool spin = true; spin;)
                               continue;
                       }>
                   workers(watched());
               auto events = workers.events();
               auto ended = co_await only_end(workers);

               CHECK(ended.cause == exit_cause::hung);
               CHECK(ended.reason == "spins");
               CHECK(ended.status.signal == SIGABRT);
               bool told = false;
               for (;;)
               {
                   auto next = co_await events.next();
                   if (!next)
                       break;
                   told = told || (next->what == event::hung && next->text == "spins");
               }
               CHECK(told);
           });
}

TEST_CASE("a worker that blocks is found", "[keeper]")
{
    within(30s,
           []() -> task<>
           {
               cluster<[](brood::process& self) -> task<>
                       {
                           self.ready();
                           co_await brood::sleep(100ms);
                           ::pause();
                       }>
                   workers(watched());
               auto ended = co_await only_end(workers);

               CHECK(ended.cause == exit_cause::hung);
               CHECK(ended.reason == "blocks");
           });
}

TEST_CASE("a worker that was stopped is found, and killed", "[keeper][T07]")
{
    within(30s,
           []() -> task<>
           {
               cluster<wait_for_end> workers(watched());
               auto only = workers.workers().at(0);
               co_await only.ready();
               only.kill(SIGSTOP);
               auto ended = co_await only_end(workers);

               CHECK(ended.cause == exit_cause::hung);
               CHECK(ended.reason == "stopped");
           });
}

TEST_CASE("an idle worker is not taken for a hung one", "[keeper]")
{
    within(30s,
           []() -> task<>
           {
               cluster<wait_for_end> workers(watched());
               auto only = workers.workers().at(0);
               co_await only.ready();
               co_await brood::sleep(1500ms);

               CHECK_FALSE(only.is_dead());
               co_await workers.stop();
           });
}

TEST_CASE("a worker that closes its channel and lives on is found and ended", "[keeper]")
{
    within(30s,
           []() -> task<>
           {
               auto settings = of_size(1);
               settings.restart.when = brood::restart::temporary;
               settings.stop = brood::drain_policy(50ms);
               cluster<[](brood::process& self) -> task<>
                       {
                           self.disconnect();
                           co_await brood::sleep(1h);
                       }>
                   workers(settings);
               auto ended = co_await only_end(workers);

               CHECK(ended.cause == exit_cause::deaf);
           });
}

TEST_CASE("a kill storm loses no end and no slot", "[keeper][T02]")
{
    within(60s,
           []() -> task<>
           {
               auto settings = of_size(8);
               settings.restart.per_slot.failures = 100'000;
               settings.restart.per_cluster.failures = 100'000;
               settings.restart.delay.base = 0ms;
               settings.restart.delay.cap = 0ms;
               cluster<wait_for_end> workers(settings);
               std::minstd_rand random(Catch::rngSeed());
               std::set<std::uint64_t> told;
               for (int kill = 0; kill < 300; ++kill)
               {
                   auto all = workers.workers();
                   if (!all.empty())
                       all[random() % all.size()].kill(SIGKILL);
                   auto ended = co_await workers.exit();
                   REQUIRE(ended);
                   CHECK(ended->status.signal == SIGKILL);
                   CHECK(told.insert(ended->id).second);
               }
               co_await brood::sleep(5ms);
               CHECK(workers.workers().size() == 8);
               co_await workers.stop();
               int last = 0;
               for (;;)
               {
                   auto ended = co_await workers.exit();
                   if (!ended)
                       break;
                   CHECK(told.insert(ended->id).second);
                   ++last;
               }
               CHECK(last == 8);
           });
}

TEST_CASE("a stop wins over a restart that waits", "[keeper]")
{
    within(20s,
           []() -> task<>
           {
               auto settings = of_size(1);
               settings.restart.delay.first = 1h;
               settings.restart.delay.cap = 1h;
               cluster<wait_for_end> workers(settings);
               auto only = workers.workers().at(0);
               co_await only.ready();
               only.kill(SIGKILL);
               co_await workers.exit();

               co_await workers.stop();
               auto none = co_await workers.exit();
               CHECK_FALSE(none);
           });
}

TEST_CASE("a loop that goes takes its workers with it", "[keeper]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            cluster<wait_for_end> workers(of_size(2));
            auto first = workers.workers().at(0);
            co_await first.ready();
            first.kill(SIGKILL);
            co_await workers.exit();
            co_await workers.stop();
        });
}
