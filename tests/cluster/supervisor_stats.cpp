// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/supervisor_stats.hpp>

#include <brood/cluster/supervisor.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <string>

using namespace std::chrono_literals;
using brood::child_state;
using brood::supervisor;
using brood::supervisor_stats;
using brood::task;

namespace
{

task<> until_stopped(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
}

} // namespace

TEST_CASE("a table has a line for each child and one for all", "[supervisor_stats]")
{
    supervisor_stats stats;
    stats.uptime = 12'345ms;
    stats.starts = 3;
    stats.exits = stats.failures = 1;
    brood::worker_stats one;
    one.pid = 4711;
    one.memory = 2048 << 10;
    one.uptime = 1500ms;
    one.processor_time = 20ms;
    one.listening_at = {"127.0.0.1:80"};
    stats.children = {{"store", child_state::ready, 2, 1, one},
                      {"front", child_state::waiting, 1, 0, {}},
                      {"front/web", child_state::draining, 1, 0, one}};

    CHECK(to_string(stats) ==
          "CHILD       PID     STATE  UPTIME    CPU    MEMORY  STARTS  FAILED  LISTENS ON\n"
          "store      4711     ready   1.5 s  20 ms  2048 KiB       2       1  127.0.0.1:80\n"
          "front         -   waiting       -      -         -       1       0\n"
          "front/web  4711  draining   1.5 s  20 ms  2048 KiB       1       0  127.0.0.1:80\n"
          "1 of 2 ready; 3 starts, 1 exits, 1 failed; up 12.3 s\n");
}

TEST_CASE("each state of a child has its name", "[supervisor_stats]")
{
    CHECK(to_string(child_state::waiting) == "waiting");
    CHECK(to_string(child_state::draining) == "draining");
    CHECK(to_string(child_state::done) == "done");
    CHECK(to_string(child_state::stopped) == "stopped");
    CHECK(to_string(child_state::parked) == "parked");
}

TEST_WITHIN(20s, "a supervisor counts its children, and what is inside them", "[supervisor_stats]")
{
    brood::cluster_settings two;
    two.size = 2;
    supervisor front;
    front.add<until_stopped>("web");
    supervisor top;
    top.add("front", std::move(front)).add_cluster<until_stopped>("pool", two);
    auto before = top.stats();
    top.start();
    co_await top.ready();
    top.worker("front/web").kill(SIGKILL);
    co_await top.exit();
    co_await top.ready();
    auto now = top.stats();
    auto web = top.worker("front/web");

    CHECK(before.children.size() == 3); // a cluster has workers once it was started
    CHECK(before.uptime == 0ms);
    CHECK(now.workers() == 3);
    CHECK(now.ready() == 3);
    CHECK(now.starts == 4);
    CHECK(now.exits == 1);
    CHECK(now.failures == 1);
    REQUIRE(now.children.size() == 5);
    CHECK(now.children[0].name == "front");
    CHECK_FALSE(now.children[0].worker);
    CHECK(now.children[1].name == "front/web");
    CHECK(now.children[1].state == child_state::ready);
    CHECK(now.children[1].starts == 2);
    CHECK(now.children[1].failures == 1);
    REQUIRE(now.children[1].worker);
    CHECK(now.children[1].worker->pid == web.pid());
    CHECK(now.children[1].worker->starts == 2);
    CHECK(now.children[1].worker->memory > 0);
    CHECK(now.children[1]
              .worker->history.exits[static_cast<std::size_t>(brood::exit_cause::signalled)] == 1);
    CHECK(now.children[2].name == "pool");
    CHECK(now.children[3].name == "pool/0");
    CHECK(now.children[4].name == "pool/1");
    co_await top.stop();
    auto after = top.stats();
    CHECK(after.ready() == 0);
    CHECK(after.exits == 4);
    CHECK(after.children[1].worker->pid == 0);
}
