// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/presets.hpp>

#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::exit_info;
using brood::process;
using brood::task;
using action = brood::restart_decision::action;
namespace preset = brood::preset;

namespace
{

task<> work_half_a_second_at_once(process& self)
{
    self.ready();
    auto until = std::chrono::steady_clock::now() + 500ms;
    while (std::chrono::steady_clock::now() < until)
        continue;
    co_return;
}

task<> fail(process&)
{
    std::exit(1);
    co_return;
}

task<> stay(process& self)
{
    self.ready();
    co_await self.shutdown();
}

/// All ends until there are no more, and why there are no more.
template <class Watched>
task<std::string> story_of(Watched& watched, std::vector<exit_info>& ends)
{
    try
    {
        for (;;)
        {
            auto ended = co_await watched.exit();
            if (!ended)
                co_return "done";
            ends.push_back(*ended);
        }
    }
    catch (const brood::error& failed)
    {
        co_return failed.text();
    }
}

exit_info failure()
{
    exit_info ended;
    ended.status.code = 1;
    ended.was_ready = true;
    ended.uptime = 1s;
    return ended;
}

} // namespace

TEST_CASE("every preset can be meant", "[presets]")
{
    preset::service().check();
    preset::batch().check();
    preset::dev().check();
    CHECK(preset::service(3).workers() == 3);
    CHECK(preset::dev().workers() == 1);
}

TEST_CASE("a service bears five failures of a slot in half a minute", "[presets]")
{
    auto policy = preset::service().restart;
    brood::failure_history slot, all;
    std::chrono::steady_clock::time_point now{};
    for (int count = 0; count < 5; ++count)
        CHECK(policy.decide(failure(), slot, all, now += 1s, 0.5).what == action::start);
    CHECK(policy.decide(failure(), slot, all, now += 1s, 0.5).what == action::fail);
}

TEST_CASE("a program that is being written is started again within two seconds, for ever",
          "[presets]")
{
    auto policy = preset::dev().restart;
    brood::failure_history slot, all;
    std::chrono::steady_clock::time_point now{};
    for (int count = 0; count < 1'000; ++count)
    {
        auto next = policy.decide(failure(), slot, all, now += 1ms, 0.5);
        CHECK(next.what == action::start);
        CHECK(next.wait <= 2s);
    }
}

TEST_WITHIN(20s, "a batch ends with its work", "[presets]")
{
    auto settings = preset::batch(2);
    settings.watchdog.tick = 10ms;
    cluster<work_half_a_second_at_once> workers(settings);
    std::vector<exit_info> ends;
    auto story = co_await story_of(workers, ends);
    CHECK(story == "done");
    REQUIRE(ends.size() == 2);
    for (auto& each : ends)
        CHECK_FALSE(each.failed());
}

TEST_WITHIN(20s, "work of a batch has three attempts", "[presets]")
{
    cluster<fail> workers(preset::batch(1));
    std::vector<exit_info> ends;
    auto story = co_await story_of(workers, ends);
    CHECK_THAT(story, Catch::Matchers::ContainsSubstring("failed more often"));
    CHECK(ends.size() == 3);
}

TEST_WITHIN(20s, "a critical tree bears one failure in five seconds, and ends as a whole",
            "[presets]")
{
    auto tree = preset::critical_tree();
    tree.add<stay>("head").add<stay>("heart");
    tree.start();
    for (int count = 0; count < 2; ++count)
    {
        auto ready = co_await tree.ready();
        CHECK(ready);
        auto heart = tree.worker("heart");
        heart.kill(SIGKILL);
        co_await heart.exit();
    }
    std::vector<exit_info> ends;
    auto story = co_await story_of(tree, ends);
    CHECK_THAT(story, Catch::Matchers::ContainsSubstring("the last was heart"));
    CHECK(ends.size() == 4);
}
