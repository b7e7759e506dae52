// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/child_event.hpp>

#include <brood/cluster/supervisor.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brood::child_event;
using brood::exit_cause;
using brood::supervisor;
using brood::task;

namespace
{

task<> until_stopped(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
}

task<> give_up(brood::process& self)
{
    self.give_up("there is nothing to do");
    co_return;
}

brood::cluster_settings of_one()
{
    brood::cluster_settings settings;
    settings.size = 1;
    return settings;
}

std::string to_string(child_event::kind what)
{
    const std::vector<std::string> names = {"fork", "online", "ready", "listening", "disconnect",
                                            "hung", "spared", "exit",  "parked"};
    return names.at(static_cast<std::size_t>(what));
}

/// What was told of each child, in its order, until the supervisor has ended.
task<std::map<std::string, std::string>> stories(brood::child_event_stream events)
{
    std::map<std::string, std::string> told;
    for (;;)
    {
        auto next = co_await events.next();
        if (!next)
            break;
        auto& story = told[next->name];
        story += (story.empty() ? "" : " ") + to_string(next->what);
        if (next->what == child_event::kind::exit)
            CHECK(next->ended->name == next->name);
    }
    co_return told;
}

} // namespace

TEST_WITHIN(20s, "what happens to children, and inside them, is told by their names in order",
            "[child_event]")
{
    supervisor front;
    front.add<until_stopped>("web");
    supervisor top;
    top.add("front", std::move(front)).add_cluster<until_stopped>("pool", of_one());
    auto events = top.events();
    auto others = top.events();
    top.start();
    co_await top.ready();
    top.worker("front/web").kill(SIGKILL);
    co_await top.exit();
    co_await top.ready();
    co_await top.stop();
    auto told = co_await stories(std::move(events));
    auto same = co_await stories(std::move(others));

    CHECK(told["front/web"] ==
          "fork online ready disconnect exit fork online ready disconnect exit");
    CHECK(told["front"] == "ready exit");
    CHECK(told["pool/0"] == "fork online ready disconnect exit");
    CHECK(told["pool"] == "ready exit");
    CHECK(told == same);
}

TEST_WITHIN(20s, "an event of a worker has it, one of a whole supervisor has none", "[child_event]")
{
    supervisor front;
    front.add<until_stopped>("web");
    supervisor top;
    top.add("front", std::move(front));
    auto events = top.events();
    top.start();
    auto first = co_await events.next();
    while (first && first->what != child_event::kind::ready)
        first = co_await events.next();
    auto second = co_await events.next();
    REQUIRE((first && second));

    CHECK(first->name == "front/web");
    REQUIRE(first->worker);
    CHECK(*first->worker == top.worker("front/web"));
    CHECK(second->name == "front");
    CHECK(second->what == child_event::kind::ready);
    CHECK_FALSE(second->worker);
    co_await top.stop();
}

TEST_WITHIN(20s, "a child that gives up is told as parked, after its end", "[child_event]")
{
    supervisor top;
    top.add<give_up>("web");
    auto events = top.events();
    top.start();
    auto told = co_await stories(std::move(events)); // it was the last that was kept
    auto none = co_await top.events().next();

    CHECK(told["web"] == "fork online disconnect exit parked");
    CHECK_FALSE(none);
}

TEST_WITHIN(20s, "ends of workers that could not be started are told, of a cluster as well",
            "[child_event]")
{
    auto missing = of_one();
    missing.program = "/no/such/program";
    missing.restart.when = brood::restart::temporary;
    brood::child_settings once;
    once.when = brood::restart::temporary;
    supervisor top;
    top.add_cluster<brood::executable>("pool", missing).add("alone", "/no/such/program", {}, once);
    auto events = top.events();
    top.start();
    auto told = co_await stories(std::move(events));

    CHECK(told["pool/0"] == "exit");
    CHECK(told["alone"] == "exit");
}
