// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/stats.hpp>

#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <csignal>
#include <ctime>
#include <sstream>
#include <string>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster_stats;
using brood::in_place;
using brood::task;
using brood::worker_state;
using brood::worker_stats;

namespace
{

cluster_stats example()
{
    cluster_stats stats;
    stats.uptime = 93min;
    stats.starts = 12;
    stats.exits = 10;
    stats.failures = 3;
    worker_stats one;
    one.id = 11;
    one.pid = 4711;
    one.state = worker_state::ready;
    one.uptime = 12'340ms;
    one.processor_time = 250ms;
    one.memory = 3 << 20;
    one.starts = 10;
    one.failures = 3;
    one.listening_at = {"127.0.0.1:8080", "/run/socket"};
    worker_stats two;
    two.slot = 1;
    two.id = 12;
    two.state = worker_state::ended;
    two.uptime = 200h;
    two.starts = 2;
    stats.workers = {one, two};
    return stats;
}

task<> burns_and_waits(brood::process& self)
{
    while (std::clock() < CLOCKS_PER_SEC / 10)
        continue;
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(any);
    co_await self.shutdown();
}

} // namespace

TEST_CASE("figures are told as a table with a line for each slot", "[stats]")
{
    CHECK(to_string(example()) ==
          "SLOT  WORKER   PID  STATE  UPTIME     CPU    MEMORY  STARTS  FAILED  LISTENS ON\n"
          "   0      11  4711  ready  12.3 s  250 ms  3072 KiB      10       3  "
          "127.0.0.1:8080 /run/socket\n"
          "   1      12     -  ended     8 d    0 ms     0 KiB       2       0\n"
          "1 of 2 ready; 12 starts, 10 exits, 3 failed; up 93 min\n");
}

TEST_CASE("a table takes the place of the one before", "[stats]")
{
    in_place table;
    CHECK(table.next("one\ntwo\n") == "one\ntwo\n");
    CHECK(table.next("three\n") == "\x1b[2A\x1b[Jthree\n");
    CHECK(table.next("") == "\x1b[1A\x1b[J");
    CHECK(table.next("four\n") == "four\n");
}

TEST_CASE("a cluster counts its workers by slot, and measures those that live", "[stats]")
{
    within(20s,
           []() -> task<>
           {
               brood::cluster_settings settings;
               settings.size = 2;
               brood::cluster<burns_and_waits> workers(settings);
               co_await workers.ready();
               workers.workers()[1].kill(SIGKILL);
               co_await workers.exit();
               co_await workers.ready();
               auto stats = workers.stats();

               CHECK(workers.size() == 2);
               CHECK(stats.ready() == 2);
               CHECK(stats.starts == 3);
               CHECK(stats.exits == 1);
               CHECK(stats.failures == 1);
               REQUIRE(stats.workers.size() == 2);
               auto& first = stats.workers[0];
               auto& second = stats.workers[1];
               CHECK(first.starts == 1);
               CHECK(first.failures == 0);
               CHECK(second.starts == 2);
               CHECK(second.failures == 1);
               CHECK(second.id == 3);
               CHECK(first.pid == workers.workers()[0].pid());
               CHECK(first.memory > (100 << 10));
               CHECK(first.processor_time >= 50ms);
               CHECK(first.uptime >= 100ms);
               CHECK(first.listening_at == workers.workers()[0].listening_at());
               co_await workers.stop();
           });
}

TEST_CASE("the counts of a slot survive a reload, and what the cluster wants is no failure",
          "[stats]")
{
    within(20s,
           []() -> task<>
           {
               brood::cluster_settings settings;
               settings.size = 1;
               brood::cluster<burns_and_waits> workers(settings);
               co_await workers.ready();
               auto report = co_await workers.reload();
               CHECK(report.complete());
               co_await workers.exit();
               auto stats = workers.stats();

               CHECK(stats.workers.at(0).starts == 2);
               CHECK(stats.exits == 1);
               CHECK(stats.failures == 0);
               co_await workers.stop();
           });
}

TEST_CASE("a cluster that is scaled to nothing waits for more", "[stats]")
{
    within(20s,
           []() -> task<>
           {
               brood::cluster_settings settings;
               settings.size = 2;
               brood::cluster<burns_and_waits> workers(settings);
               co_await workers.ready();
               co_await workers.scale(0);
               CHECK(workers.size() == 0);
               co_await workers.scale(1);
               auto ready = co_await workers.ready();
               CHECK(ready);
               co_await workers.scale(0);
               co_await workers.stop();
               for (int ends = 0; ends < 3; ++ends)
               {
                   auto ended = co_await workers.exit();
                   CHECK((ended && ended->cause == brood::exit_cause::scaled_down));
               }
               auto none = co_await workers.exit();
               CHECK(!none);
           });
}
