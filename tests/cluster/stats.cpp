// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/stats.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/cluster/detail/core/stats_table.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <csignal>
#include <ctime>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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

/// For each number: so many requests, one of which fails, over a connection that stays open.
task<> serves_what_is_asked(brood::process& self)
{
    auto& traffic = brood::traffic_of_this_process();
    while (auto asked = co_await self.message<int>())
    {
        traffic.count_connection();
        traffic.count_failed_request();
        for (int request = 0; request < *asked; ++request)
        {
            traffic.count_request();
            traffic.count_received(10);
            traffic.count_sent(1000);
        }
        self.send(*asked);
    }
}

brood::cluster_settings unwatched(std::size_t size)
{
    brood::cluster_settings settings;
    settings.size = size;
    settings.watchdog.stale_after = 0ms;
    return settings;
}

/// Has the worker of a slot serve so many requests, and waits until the primary has seen them.
template <class Cluster>
task<> serve(Cluster& workers, std::size_t slot, int requests)
{
    auto before = workers.stats().workers.at(slot).traffic.requests;
    auto one = workers.workers().at(slot);
    one.send(requests);
    co_await one.template message<int>();
    auto seen = [&]
    {
        return workers.stats().workers.at(slot).traffic.requests;
    };
    while (seen() != before + static_cast<std::uint64_t>(requests))
        co_await brood::sleep(1ms);
}

/// How often a process has gone to sleep.
std::string sleeps(pid_t pid)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::string line;
    while (std::getline(status, line) && line.rfind("voluntary_ctxt_switches", 0) != 0)
        continue;
    return line;
}

task<> burns_and_waits(brood::process& self)
{
    while (std::clock() < CLOCKS_PER_SEC / 10)
        continue;
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(any);
    co_await self.shutdown();
}

/// Accepts when it has heard, and never finishes when it is asked to.
task<> accepts_when_told(brood::process& self)
{
    auto listener = co_await self.listen(0);
    auto told = co_await self.message<int>();
    while (told)
    {
        auto connection = co_await listener.accept();
        if (!connection)
            break;
    }
    co_await brood::sleep(1h);
}

template <class Cluster>
task<> reload(Cluster& workers)
{
    co_await workers.reload();
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

TEST_CASE("a table tells what was served once anything was", "[stats]")
{
    auto stats = example();
    auto& served = stats.workers[0].slot_traffic;
    served.requests = 12'345;
    served.bytes_received = 950;
    served.bytes_sent = 4'300'000;
    stats.traffic = served;
    stats.workers[0].listening_at.pop_back();

    CHECK(to_string(stats) ==
          "SLOT  WORKER   PID  STATE  UPTIME     CPU    MEMORY  STARTS  FAILED  "
          "REQUESTS     IN      OUT  LISTENS ON\n"
          "   0      11  4711  ready  12.3 s  250 ms  3072 KiB      10       3  "
          "   12.3k  950 B  4.1 MiB  127.0.0.1:8080\n"
          "   1      12     -  ended     8 d    0 ms     0 KiB       2       0  "
          "       0    0 B      0 B\n"
          "1 of 2 ready; 12 starts, 10 exits, 3 failed; up 93 min\n");
}

TEST_CASE("a table names the hosts once a worker is elsewhere", "[stats]")
{
    auto stats = example();
    stats.workers[0].host = "n3.example.org";
    CHECK(to_string(stats) ==
          "SLOT  WORKER   PID  STATE  UPTIME     CPU    MEMORY  STARTS  FAILED            HOST  "
          "LISTENS ON\n"
          "   0      11  4711  ready  12.3 s  250 ms  3072 KiB      10       3  n3.example.org  "
          "127.0.0.1:8080 /run/socket\n"
          "   1      12     -  ended     8 d    0 ms     0 KiB       2       0               -\n"
          "1 of 2 ready; 12 starts, 10 exits, 3 failed; up 93 min\n");
}

TEST_CASE("figures are rounded to what a person reads", "[stats]")
{
    using brood::detail::rounded_bytes;
    using brood::detail::rounded_count;
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

    CHECK(rounded_count(0) == "0");
    CHECK(rounded_count(999) == "999");
    CHECK(rounded_count(1'000) == "1.0k");
    CHECK(rounded_count(99'999) == "99.9k");
    CHECK(rounded_count(123'456) == "123k");
    CHECK(rounded_count(7'000'000'000) == "7.0G");
    CHECK(rounded_count(largest) == "18.4E");
    CHECK(rounded_bytes(1'023) == "1023 B");
    CHECK(rounded_bytes(1'536) == "1.5 KiB");
    CHECK(rounded_bytes(1'023'999) == "999 KiB");
    CHECK(rounded_bytes(1'024'000) == "0.9 MiB");
    CHECK(rounded_bytes(largest) == "15.9 EiB");
}

TEST_CASE("a table takes the place of the one before", "[stats]")
{
    in_place table;
    CHECK(table.next("one\ntwo\n") == "one\ntwo\n");
    CHECK(table.next("three\n") == "\x1b[2A\x1b[Jthree\n");
    CHECK(table.next("") == "\x1b[1A\x1b[J");
    CHECK(table.next("four\n") == "four\n");
}

TEST_WITHIN(20s, "a cluster counts its workers by slot, and measures those that live", "[stats]")
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
}

TEST_WITHIN(20s, "the counts of a slot survive a reload, and what the cluster wants is no failure",
            "[stats]")
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
}

TEST_WITHIN(30s, "what workers serve is counted by slot, and outlives them", "[stats]")
{
    brood::cluster<serves_what_is_asked> workers(unwatched(2));
    co_await workers.ready();
    CHECK_FALSE(workers.stats().traffic.any());
    co_await serve(workers, 0, 5);
    co_await serve(workers, 1, 100);

    auto first = workers.stats().workers[0];
    CHECK(first.traffic.requests == 5);
    CHECK(first.traffic.failed_requests == 1);
    CHECK(first.traffic.connections == 1);
    CHECK(first.traffic.open_connections == 1);
    CHECK(first.traffic.bytes_received == 50);
    CHECK(first.traffic.bytes_sent == 5000);
    CHECK(first.slot_traffic == first.traffic);

    workers.workers()[0].kill(SIGKILL);
    co_await workers.exit();
    CHECK(workers.stats().workers[0].slot_traffic.requests == 5);
    co_await workers.ready();
    CHECK_FALSE(workers.stats().workers[0].traffic.any());
    CHECK(workers.stats().workers[0].slot_traffic.open_connections == 0);
    co_await serve(workers, 0, 7);

    auto stats = workers.stats();
    CHECK(stats.workers[0].traffic.requests == 7);
    CHECK(stats.workers[0].slot_traffic.requests == 12);
    CHECK(stats.workers[0].slot_traffic.bytes_sent == 12'000);
    CHECK(stats.workers[0].slot_traffic.open_connections == 1);
    CHECK(stats.workers[1].slot_traffic.requests == 100);
    CHECK(stats.traffic.requests == 112);
    CHECK(to_string(stats).find("REQUESTS") != std::string::npos);
    co_await workers.stop();
    CHECK(workers.stats().traffic.requests == 112);
}

TEST_WITHIN(30s, "what workers served is lost neither by a reload nor by fewer slots", "[stats]")
{
    brood::cluster_settings watched;
    watched.size = 2;
    brood::cluster<serves_what_is_asked> workers(watched);
    co_await workers.ready();
    co_await serve(workers, 0, 5);
    co_await serve(workers, 1, 50);
    auto report = co_await workers.reload();
    CHECK(report.complete());
    CHECK(workers.stats().workers[0].slot_traffic.requests == 5);
    CHECK(workers.stats().workers[1].slot_traffic.requests == 50);

    co_await workers.scale(1);
    CHECK(workers.stats().traffic.requests == 55);
    co_await workers.scale(2);
    co_await workers.ready();
    co_await serve(workers, 1, 3);

    CHECK(workers.stats().workers[1].traffic.requests == 3);
    CHECK(workers.stats().workers[1].slot_traffic.requests == 53);
    CHECK(workers.stats().traffic.requests == 58);
    co_await workers.stop();
}

TEST_WITHIN(60s, "the sums of a slot never go backwards while its workers are killed", "[stats]")
{
    auto settings = unwatched(1);
    settings.restart.delay.base = 0ms;
    settings.restart.delay.cap = 0ms;
    settings.restart.per_slot.failures = 1000;
    settings.restart.per_cluster.failures = 1000;
    brood::cluster<[](brood::process& self) -> task<>
                   {
                       self.ready();
                       while (!self.stopping())
                       {
                           brood::traffic_of_this_process().count_request();
                           co_await brood::sleep(0ms);
                       }
                   }>
        workers(settings);
    std::uint64_t last = 0;
    for (int kill = 0; kill < 20; ++kill)
    {
        co_await workers.ready();
        for (int look = 0; look < 20; ++look)
        {
            auto now = workers.stats().workers.at(0).slot_traffic.requests;
            CHECK(now >= last);
            last = now;
            co_await brood::sleep(1ms);
        }
        workers.workers().at(0).kill(SIGKILL);
        auto ended = co_await workers.exit();
        REQUIRE(ended);
        auto now = workers.stats().workers.at(0).slot_traffic.requests;
        CHECK(now >= last);
        last = now;
    }
    CHECK(last > 20);
    CHECK(workers.stats().traffic.requests >= last);
    co_await workers.stop();
}

TEST_WITHIN(30s, "an idle worker that nobody watches is never woken up", "[stats]")
{
    brood::cluster<serves_what_is_asked> workers(unwatched(1));
    co_await workers.ready();
    co_await serve(workers, 0, 1);
    auto pid = workers.workers().at(0).pid();
    co_await brood::sleep(100ms);
    auto before = sleeps(pid);
    co_await brood::sleep(1500ms);

    CHECK(sleeps(pid) == before);
    co_await workers.stop();
}

TEST_WITHIN(20s, "the history of a slot has the ends and times of all its workers", "[stats]")
{
    brood::cluster<burns_and_waits> workers(unwatched(2));
    co_await workers.ready();
    workers.workers().at(0).kill(SIGKILL);
    co_await workers.exit();
    co_await workers.ready();
    co_await workers.reload();

    auto slots = workers.stats().workers;
    auto& first = slots.at(0).history;
    auto& second = slots.at(1).history;
    CHECK(first.ended_by(brood::exit_cause::signalled) == 1);
    CHECK(first.ended_by(brood::exit_cause::replaced) == 1);
    CHECK(first.ready_times.count() == 3);
    CHECK(first.ready_times.sum() >= 300ms); // of processor time, which each needs first
    CHECK(first.drain_times.count() == 1);
    CHECK(second.ended_by(brood::exit_cause::signalled) == 0);
    CHECK(second.ended_by(brood::exit_cause::replaced) == 1);
    CHECK(second.ready_times.count() == 2);
    co_await workers.stop();
    CHECK(workers.stats().workers.at(1).history.ended_by(brood::exit_cause::stopped) == 1);
}

TEST_WITHIN(20s, "a worker that finishes is counted for its slot, and after its slot has gone",
            "[stats]")
{
    auto executor = co_await asio::this_coro::executor;
    brood::cluster<accepts_when_told> workers(unwatched(1));
    co_await workers.ready();
    auto old = workers.workers().at(0);
    auto reloading = reload(workers);
    asio::co_spawn(executor, std::move(reloading), asio::detached);
    while (workers.stats().draining != 1)
        co_await brood::sleep(1ms);
    CHECK(workers.stats().workers.at(0).draining == 1);
    old.kill(SIGKILL);
    co_await old.exit();
    CHECK(workers.stats().draining == 0);

    auto last = workers.workers().at(0);
    auto scaling = workers.scale(0);
    asio::co_spawn(executor, std::move(scaling), asio::detached);
    while (workers.stats().draining != 1)
        co_await brood::sleep(1ms);
    CHECK(workers.stats().workers.empty());
    last.kill(SIGKILL);
    co_await workers.stop();
}

TEST_WITHIN(20s, "the age of a heartbeat grows while a loop stands still", "[stats]")
{
    brood::cluster_settings settings;
    settings.size = 1;
    settings.watchdog.tick = 10ms;
    settings.watchdog.stale_after = 60s;
    brood::cluster<accepts_when_told> workers(settings);
    auto age = [&]
    {
        return workers.stats().workers.at(0).heartbeat_age;
    };
    while (!age())
        co_await brood::sleep(1ms);
    auto only = workers.workers().at(0);

    only.kill(SIGSTOP);
    while (age().value_or(0ms) < 300ms)
        co_await brood::sleep(1ms);
    only.kill(SIGCONT);
    while (age().value_or(1h) > 100ms)
        co_await brood::sleep(1ms);
    brood::stop_policy at_once(0ms);
    co_await workers.stop(at_once);
    CHECK_FALSE(age());
}

TEST_WITHIN(20s, "without a watchdog there is no heartbeat", "[stats]")
{
    brood::cluster<burns_and_waits> workers(unwatched(1));
    co_await workers.ready();

    CHECK_FALSE(workers.stats().workers.at(0).heartbeat_age);
    co_await workers.stop();
}

TEST_WITHIN(20s, "connections that nobody has accepted are counted at their port", "[stats]")
{
    brood::cluster<accepts_when_told> workers(unwatched(1));
    co_await workers.ready();
    auto only = workers.workers().at(0);
    std::vector<asio::ip::tcp::socket> clients;
    for (int count = 0; count < 3; ++count)
    {
        auto client = co_await connect_to(only.port());
        clients.push_back(std::move(client));
    }
    auto waiting = [&]
    {
        return workers.stats().ports.at(0).waiting;
    };
    CHECK(waiting() == 3);
    CHECK(workers.stats().ports.at(0).address == only.listening_at().at(0));
    CHECK(workers.stats().ports.at(0).room >= 3);

    only.send(1);
    while (waiting() != 0)
        co_await brood::sleep(1ms);
    CHECK(workers.stats().workers.at(0).history.dispatched == 0);
    only.kill(SIGKILL);
    co_await workers.exit();
    brood::stop_policy at_once(0ms);
    co_await workers.stop(at_once);
}

TEST_WITHIN(20s, "connections that the primary handed over are counted by slot", "[stats]")
{
    auto settings = unwatched(2);
    settings.dispatch = brood::dispatch_policy::round_robin();
    brood::cluster<accepts_when_told> workers(settings);
    co_await workers.ready();
    auto port = workers.workers().at(0).port();
    for (int count = 0; count < 4; ++count)
        co_await connect_to(port);
    auto handed = [&](std::size_t slot)
    {
        return workers.stats().workers.at(slot).history.dispatched;
    };

    while (handed(0) + handed(1) < 4)
        co_await brood::sleep(1ms);
    CHECK(handed(0) == 2);
    CHECK(handed(1) == 2);
    brood::stop_policy at_once(0ms);
    co_await workers.stop(at_once);
}

TEST_WITHIN(20s, "a cluster that is scaled to nothing waits for more", "[stats]")
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
}
