// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/supervisor.hpp>

#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::exit_cause;
using brood::strategy;
using brood::supervisor;
using brood::task;
using brood::test::temporary_directory;
using Catch::Matchers::ContainsSubstring;

namespace
{

void note(const std::string& file, const std::string& text)
{
    std::ofstream(file, std::ios::app) << text << std::endl;
}

/// What has been noted since the last time, as "+a +b".
std::string notes(const std::string& file)
{
    std::ifstream lines(file);
    std::string all, line;
    while (std::getline(lines, line))
        all += all.empty() ? line : ' ' + line;
    std::ofstream(file, std::ios::trunc);
    return all;
}

task<> noted(brood::process& self, std::string name, std::string file)
{
    note(file, '+' + name);
    self.ready();
    co_await self.shutdown();
    note(file, '-' + name);
}

task<> stubborn(brood::process& self, std::string name, std::string file)
{
    note(file, '+' + name);
    signal(SIGTERM, SIG_IGN);
    self.ready();
    for (;;)
        co_await brood::sleep(1h);
}

task<> until_stopped(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
}

task<> slow_to_start(brood::process& self)
{
    co_await brood::sleep(300ms);
    self.ready();
    co_await self.shutdown();
}

/// In its first life until it is ended; in later ones it is done soon.
task<> done_in_second_life(brood::process& self, std::string file)
{
    auto first = !std::filesystem::exists(file);
    note(file, "+");
    self.ready();
    if (first)
        co_await self.shutdown();
    else
        co_await brood::sleep(20ms);
}

task<> slow_to_stop(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
    co_await brood::sleep(200ms);
}

task<> done_at_once(brood::process& self)
{
    self.ready();
    co_return;
}

task<> never_ready(brood::process&)
{
    throw std::runtime_error("nothing works");
    co_return;
}

task<> accept_all(brood::process& self)
{
    auto listener = co_await self.listen(0);
    for (;;)
    {
        auto connection = co_await listener.accept();
        if (!connection)
            break;
    }
}

brood::restart_policy often()
{
    brood::restart_policy policy;
    policy.per_slot.failures = policy.per_cluster.failures = 1000;
    policy.delay.base = 1ms;
    policy.delay.cap = 5ms;
    return policy;
}

task<> ready_if_there(brood::process& self, std::string file)
{
    if (!std::filesystem::exists(file))
        throw std::runtime_error("it is not there");
    self.ready();
    co_await self.shutdown();
}

/// Children a to e that note what happens to them.
supervisor five(strategy how, const std::string& file)
{
    supervisor top(how, often());
    for (std::string name : {"a", "b", "c", "d", "e"})
        top.add<noted>(name, {}, name, file);
    return top;
}

task<> all_ready(supervisor& top)
{
    auto ready = co_await top.ready();
    REQUIRE(ready);
}

task<brood::exit_info> next_end(supervisor& top)
{
    auto ended = co_await top.exit();
    REQUIRE(ended);
    auto info = *ended;
    co_return info;
}

/// What a supervisor says at its end when a child is killed, and this is to say whether it starts
/// again.
task<std::string> story_of(bool (*only_if)(const brood::exit_info&))
{
    brood::restart_policy policy;
    policy.only_if = only_if;
    supervisor top(strategy::one_for_all, policy);
    top.add<until_stopped>("a").add<until_stopped>("b");
    top.start();
    co_await all_ready(top);
    top.worker("a").kill(SIGKILL);
    std::string said;
    try
    {
        for (auto more = true; more;)
        {
            auto ended = co_await top.exit();
            more = ended.has_value();
        }
    }
    catch (const brood::error& failed)
    {
        said = failed.what();
    }
    co_return said;
}

/// Waits until all are ready, and one child has been started so often.
task<> started(supervisor& top, std::size_t index, std::size_t times)
{
    while (top.children()[index].starts < times)
        co_await brood::sleep(1ms);
    co_await all_ready(top);
}

} // namespace

TEST_WITHIN(20s, "one for one: a child that was killed is started again, and no other",
            "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/notes";
    auto top = five(strategy::one_for_one, file);
    top.start();
    co_await all_ready(top);
    notes(file);

    top.worker("c").kill(SIGKILL);
    auto ended = co_await next_end(top);
    co_await started(top, 2, 2);

    CHECK(ended.name == "c");
    CHECK(ended.status.signal == SIGKILL);
    CHECK(notes(file) == "+c");
    co_await top.stop();
}

TEST_WITHIN(20s, "rest for one: those behind it end from the last, and start again in order",
            "[supervisor][T14]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/notes";
    auto top = five(strategy::rest_for_one, file);
    top.start();
    co_await all_ready(top);
    CHECK(notes(file) == "+a +b +c +d +e");

    top.worker("c").kill(SIGKILL);
    std::string order;
    for (int end = 0; end < 3; ++end)
    {
        auto ended = co_await next_end(top);
        order += ended.name;
        CHECK(ended.cause == (end == 0 ? exit_cause::signalled : exit_cause::taken_down));
    }
    co_await started(top, 4, 2);

    CHECK(order == "ced");
    CHECK(notes(file) == "-e -d +c +d +e");
    co_await top.stop();
    CHECK(notes(file) == "-e -d -c -b -a");
}

TEST_WITHIN(20s,
            "one for all: one that ignores SIGTERM is killed after its grace, and it counts once",
            "[supervisor][T15]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/notes";
    auto policy = often();
    policy.per_cluster.failures = 1; // a second failure would be too many
    supervisor top(strategy::one_for_all, policy);
    brood::child_settings impatient;
    impatient.stop = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::disconnect(50ms), brood::stop_step::signal(SIGTERM, 50ms),
        brood::stop_step::signal(SIGKILL, 5s)});
    top.add<noted>("a", {}, "a", file).add<noted>("b", {}, "b", file);
    top.add<noted>("c", {}, "c", file).add<stubborn>("d", impatient, "d", file);
    top.start();
    co_await all_ready(top);
    notes(file);

    top.worker("b").kill(SIGKILL);
    std::vector<std::string> order;
    for (int end = 0; end < 4; ++end)
    {
        auto ended = co_await next_end(top);
        order.push_back(ended.name);
        if (ended.name == "d")
            CHECK(ended.status.signal == SIGKILL);
    }
    co_await started(top, 3, 2);

    CHECK(order == std::vector<std::string>{"b", "d", "c", "a"});
    CHECK(notes(file) == "-c -a +a +b +c +d");
    co_await top.stop();
}

TEST_WITHIN(20s, "a child is started when the one before it is ready", "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/notes";
    supervisor top(strategy::rest_for_one, often());
    top.add<[](brood::process& self, std::string to) -> task<>
            {
                co_await brood::sleep(100ms);
                note(to, "first is ready");
                self.ready();
                co_await self.shutdown();
            }>("first", {}, file);
    top.add<noted>("second", {}, "second", file);
    top.start();
    co_await all_ready(top);

    CHECK(notes(file) == "first is ready +second");
    co_await top.stop();
}

TEST_WITHIN(20s, "temporary children are not started again, transient ones after a failure only",
            "[supervisor]")
{
    supervisor top(strategy::one_for_one, often());
    brood::child_settings temporary, transient;
    temporary.when = brood::restart::temporary;
    transient.when = brood::restart::transient;
    top.add<until_stopped>("temporary", temporary);
    top.add<until_stopped>("transient", transient);
    top.add<done_at_once>("done", transient);
    top.start();
    co_await all_ready(top);

    top.worker("temporary").kill(SIGKILL);
    top.worker("transient").kill(SIGKILL);
    co_await started(top, 1, 2);
    while (top.children()[0].running || top.children()[2].running)
        co_await brood::sleep(1ms);

    auto children = top.children();
    CHECK(children[0].starts == 1);
    CHECK(children[1].running);
    CHECK(children[2].starts == 1);
    CHECK_THROWS_WITH(top.worker("front/web"), ContainsSubstring("front/web"));
    co_await top.stop();
}

TEST_WITHIN(20s,
            "a child that ends with a code that says so does not come back, alone or with others",
            "[supervisor]")
{
    auto policy = often();
    policy.final_codes = {0};
    supervisor top(strategy::one_for_all, policy);
    brood::child_settings transient;
    transient.when = brood::restart::transient;
    top.add<done_at_once>("done", transient).add<until_stopped>("other");
    top.start();
    co_await started(top, 1, 1);
    while (top.children()[0].running)
        co_await brood::sleep(1ms);
    co_await all_ready(top);

    top.worker("other").kill(SIGKILL);
    co_await started(top, 1, 2);
    CHECK(top.children()[0].starts == 1);
    co_await top.stop();
}

TEST_WITHIN(20s, "a temporary child that was taken down with others does not come back",
            "[supervisor]")
{
    supervisor top(strategy::one_for_all, often());
    brood::child_settings temporary;
    temporary.when = brood::restart::temporary;
    top.add<until_stopped>("a").add<until_stopped>("b", temporary);
    top.start();
    co_await all_ready(top);

    top.worker("a").kill(SIGKILL);
    co_await started(top, 0, 2);

    CHECK(!top.children()[1].running);
    CHECK(top.children()[1].starts == 1);
    co_await top.stop();
}

TEST_WITHIN(20s, "those behind a child that fails for good are started all the same",
            "[supervisor]")
{
    supervisor top(strategy::rest_for_one, often());
    brood::child_settings once;
    once.when = brood::restart::temporary;
    top.add<never_ready>("a", once).add<until_stopped>("b");
    top.start();
    co_await all_ready(top);

    CHECK(!top.children()[0].running);
    CHECK(top.children()[1].ready);
    co_await top.stop();
}

TEST_WITHIN(20s, "a supervisor whose children are done has ended", "[supervisor]")
{
    supervisor top(strategy::rest_for_one);
    brood::child_settings once;
    once.when = brood::restart::temporary;
    top.add<done_at_once>("a", once).add<done_at_once>("b", once);
    top.start();

    auto first = co_await next_end(top);
    auto second = co_await next_end(top);
    auto none = co_await top.exit();

    CHECK(std::set{first.name, second.name} == std::set<std::string>{"a", "b"});
    CHECK(!none);
}

TEST_WITHIN(20s, "a supervisor that fails too often tells the story, and its children are ended",
            "[supervisor]")
{
    auto policy = often();
    policy.per_slot.failures = 2;
    supervisor top(strategy::one_for_one, policy);
    top.add<until_stopped>("good").add<never_ready>("bad");
    top.start();
    std::size_t ends = 0;
    std::string story;
    try
    {
        while (auto ended = co_await top.exit())
            ++ends;
    }
    catch (const brood::error& failure)
    {
        CHECK(failure.code() == brood::errc::too_many_failures);
        story = failure.what();
    }

    CHECK(ends == 4); // three of the bad one, and the good one
    CHECK_THAT(story,
               ContainsSubstring("bad: process") && ContainsSubstring("before it was ready"));
}

TEST_WITHIN(30s,
            "a nested supervisor that fails too often is a failure of its own to the one above",
            "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/notes";
    auto strict = often();
    strict.per_slot.failures = 1;
    supervisor inner(strategy::one_for_one, strict);
    inner.add<noted>("x", {}, "x", file).add<noted>("y", {}, "y", file);
    supervisor top(strategy::rest_for_one, often());
    top.add<noted>("a", {}, "a", file).add("in", std::move(inner));
    top.add<noted>("z", {}, "z", file);
    top.start();
    co_await all_ready(top);
    notes(file);

    top.worker("in/x").kill(SIGKILL);
    auto ended = co_await next_end(top);
    CHECK(ended.name == "in/x");
    co_await all_ready(top); // those inside are waited for as well
    CHECK(notes(file) == "+x");
    top.worker("in/x").kill(SIGKILL); // once more than it bears
    std::string order;
    exit_cause why = exit_cause::exited;
    while (order.find('z') == std::string::npos)
    {
        ended = co_await next_end(top);
        order += ended.name + ' ';
        if (ended.name == "in")
            why = ended.cause;
    }
    co_await started(top, 2, 2);

    CHECK(order == "in/x in/y in z ");
    CHECK(why == exit_cause::children_failed);
    auto story = notes(file); // x and y do not wait for each other
    CHECK((story == "-y -z +x +y +z" || story == "-y -z +y +x +z"));
    CHECK(top.children()[0].starts == 1);
    co_await top.stop();
}

TEST_WITHIN(30s, "a cluster is a child like another", "[supervisor]")
{
    brood::cluster_settings two;
    two.size = 2;
    supervisor top(strategy::one_for_all, often());
    top.add<until_stopped>("store").add_cluster<until_stopped>("web", two);
    top.start();
    co_await all_ready(top);

    top.worker("web/1").kill(SIGKILL);
    auto ended = co_await next_end(top);
    CHECK(ended.name == "web/1"); // the cluster replaces it, and nobody else is touched
    CHECK(top.children()[0].starts == 1);

    top.worker("store").kill(SIGKILL);
    co_await started(top, 1, 2);
    CHECK(top.children()[0].starts == 2);
    co_await top.stop();
}

TEST_WITHIN(20s, "stop wins over a restart that waits, and over a start that takes long",
            "[supervisor]")
{
    auto slow = often();
    slow.delay.first = 1h;
    supervisor top(strategy::one_for_all, slow);
    top.add<until_stopped>("a");
    top.start();
    co_await all_ready(top);
    top.worker("a").kill(SIGKILL);
    co_await next_end(top);
    co_await top.stop();

    supervisor other(strategy::rest_for_one);
    other
        .add<[](brood::process& self) -> task<>
             {
                 co_await self.shutdown();
             }>("never ready")
        .add<until_stopped>("b");
    other.start();
    while (!other.children()[0].running)
        co_await brood::sleep(1ms);
    co_await other.stop();
    CHECK(other.children()[1].starts == 0);
}

TEST_WITHIN(20s, "a program that cannot be started is tried again, and told", "[supervisor]")
{
    auto policy = often();
    policy.per_slot.failures = 2;
    supervisor top(strategy::rest_for_one, policy);
    top.add("missing", "/no/such/program");
    top.start();
    std::string said;
    std::size_t tries = 0;
    try
    {
        while (auto ended = co_await top.exit())
        {
            said = to_string(*ended);
            ++tries;
        }
    }
    catch (const brood::error&)
    {
    }

    CHECK(tries == 3);
    CHECK_THAT(said,
               ContainsSubstring("missing did not start") && ContainsSubstring("/no/such/program"));
}

TEST_WITHIN(20s, "a supervisor can be started again, and destroyed while it runs", "[supervisor]")
{
    supervisor top(strategy::one_for_all);
    top.add<until_stopped>("a");
    CHECK_THROWS_WITH(top.add<until_stopped>("a"), ContainsSubstring("\"a\""));
    CHECK_THROWS_WITH(top.add<until_stopped>("a/b"), ContainsSubstring("\"a/b\""));
    CHECK_THROWS_WITH(top.add_cluster<brood::executable>("pool", {}),
                      ContainsSubstring("settings.program is empty"));
    top.start();
    co_await all_ready(top);
    CHECK_THROWS_AS(top.start(), std::logic_error);
    co_await top.stop();
    auto last = co_await next_end(top);
    auto none = co_await top.exit();
    CHECK(last.cause == exit_cause::stopped);
    CHECK(!none);

    top.start();
    co_await all_ready(top);
    CHECK(top.children()[0].starts == 2);
}

TEST_WITHIN(60s, "children that are killed again and again are all there at the end",
            "[supervisor]")
{
    supervisor top(strategy::rest_for_one, often());
    for (std::string name : {"a", "b", "c", "d"})
        top.add<until_stopped>(name);
    top.start();
    co_await all_ready(top);
    const std::vector<std::string> names = {"c", "a", "d", "b"};
    for (std::size_t round = 0; round < 50; ++round)
    {
        auto before = top.children()[3].starts; // the last, whoever is killed
        top.worker(names[round % 4]).kill(SIGKILL);
        top.worker(names[(round + 1) % 4]).kill(SIGKILL);
        while (top.children()[3].starts == before)
            co_await brood::sleep(1ms);
        co_await all_ready(top);
    }
    for (auto& child : top.children())
        CHECK(child.ready);
    co_await top.stop();
}

TEST_WITHIN(20s, "a cluster whose dispatch policy throws has failed for its supervisor",
            "[supervisor]")
{
    supervisor top;
    brood::cluster_settings settings;
    settings.size = 1;
    settings.dispatch = brood::dispatch_policy::chosen([](auto from, auto) { return from.size(); });
    top.add_cluster<accept_all>("pool", settings);
    top.start();
    co_await all_ready(top);

    auto client = co_await brood::test::connect_to(top.worker("pool/0").port());
    co_await next_end(top);
    auto ended = co_await next_end(top);

    CHECK(ended.cause == exit_cause::children_failed);
    co_await top.stop();
}

TEST_WITHIN(20s, "what a restart policy throws ends the supervisor, with the story", "[supervisor]")
{
    auto known = co_await story_of([](const brood::exit_info&) -> bool
                                   { throw std::runtime_error("no idea"); });
    auto unknown = co_await story_of([](const brood::exit_info&) -> bool { throw 7; });

    CHECK_THAT(known, ContainsSubstring("no idea"));
    CHECK_THAT(unknown, ContainsSubstring("an exception of unknown type"));
}

TEST_WITHIN(20s, "a child that is stopped by name stays so, and nobody else is touched",
            "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/notes";
    auto top = five(strategy::one_for_all, file);
    top.start();
    co_await all_ready(top);
    notes(file);

    co_await top.stop("c");
    auto ended = co_await next_end(top);
    CHECK(ended.name == "c");
    CHECK(ended.cause == exit_cause::stopped);
    CHECK(notes(file) == "-c");
    CHECK(top.stats().children[2].state == brood::child_state::stopped);
    co_await all_ready(top); // it is not waited for

    top.worker("d").kill(SIGKILL); // all are started again but the one that was stopped
    co_await started(top, 4, 2);
    CHECK(notes(file) == "-e -b -a +a +b +d +e");
    CHECK_FALSE(top.children()[2].running);

    auto ready = co_await top.start("c");
    CHECK(ready);
    CHECK(notes(file) == "+c");
    auto again = co_await top.start("c"); // it runs
    CHECK(again);
    auto restarted = co_await top.restart("c");
    CHECK(restarted);
    CHECK(notes(file) == "-c +c");
    CHECK(top.children()[2].starts == 3);
    co_await top.stop();
}

TEST_WITHIN(20s, "the end of an earlier life does not count once a child was started with another",
            "[supervisor]")
{
    temporary_directory folder;
    brood::child_settings rests;
    rests.when = brood::restart::transient;
    supervisor top(strategy::one_for_all, often());
    top.add<until_stopped>("a");
    top.add<done_in_second_life>("b", rests, folder.path().string() + "/lives");
    top.add<slow_to_start>("c");
    top.start();
    co_await all_ready(top);
    top.worker("a").kill(SIGKILL);
    top.worker("b").kill(SIGKILL);
    ::usleep(50'000); // both ends are noticed together

    co_await started(top, 0, 2); // b is done before c is ready

    CHECK(top.children()[1].starts == 2);
    CHECK(top.stats().children[1].state == brood::child_state::done);
    co_await top.stop();
}

TEST_WITHIN(20s, "a child that is started by name while it is being stopped is started again",
            "[supervisor]")
{
    supervisor top(strategy::one_for_one, often());
    top.add<slow_to_stop>("slow");
    top.start();
    co_await all_ready(top);
    auto executor = co_await asio::this_coro::executor;
    bool stopped = false;
    auto stopping = top.stop("slow");
    asio::co_spawn(executor, std::move(stopping), [&](std::exception_ptr) { stopped = true; });
    co_await brood::sleep(20ms);
    CHECK_FALSE(stopped);

    auto ready = co_await top.start("slow");

    CHECK(ready);
    CHECK(stopped);
    CHECK(top.children()[0].ready);
    CHECK(top.children()[0].starts == 2);
    co_await top.stop();
}

TEST_WITHIN(20s, "a supervisor all of whose children were stopped by name goes on", "[supervisor]")
{
    for (auto how : {strategy::one_for_one, strategy::rest_for_one})
    {
        supervisor front(how, often());
        front.add<until_stopped>("web");
        supervisor top(how, often());
        top.add("front", std::move(front)).add<until_stopped>("other");
        top.start();
        co_await all_ready(top);
        co_await top.stop("front/web");
        co_await top.stop("other");

        CHECK(top.children()[0].running);
        auto web = co_await top.start("front/web");
        auto other = co_await top.start("other");
        CHECK(web);
        CHECK(other);
        co_await top.stop("front"); // a whole supervisor
        CHECK(top.worker("front/web").is_dead());
        CHECK_FALSE(top.children()[0].running);
        auto front_again = co_await top.start("front");
        CHECK(front_again);
        CHECK_NOTHROW(top.worker("front/web"));
        co_await top.stop();
        auto late = top.start("other");
        auto refused = false;
        try
        {
            co_await std::move(late);
        }
        catch (const std::logic_error&)
        {
            refused = true;
        }
        CHECK(refused);
    }
}

TEST_WITHIN(20s, "a name that nobody has is refused at once", "[supervisor]")
{
    brood::cluster_settings one;
    one.size = 1;
    supervisor top;
    top.add<until_stopped>("web").add_cluster<until_stopped>("pool", one);

    for (auto name : {"", "no", "web/x", "pool/0", "/web", "web/"})
        CHECK_THROWS_AS(top.stop(name), std::out_of_range);
    CHECK_THROWS_WITH(top.start("front/web"), ContainsSubstring("\"front/web\""));
    CHECK_THROWS_AS(top.restart("no"), std::out_of_range);
    CHECK_THROWS_AS(top.reload("no"), std::out_of_range);
    co_return;
}

TEST_WITHIN(20s, "a start by name does not wait for the backoff, a stop by name ends that",
            "[supervisor]")
{
    auto slow = often();
    slow.delay.first = 1h;
    supervisor top(strategy::one_for_one, slow);
    top.add<until_stopped>("a").add<until_stopped>("b");
    top.start();
    co_await all_ready(top);
    for (auto name : {"a", "b"})
    {
        top.worker(name).kill(SIGKILL);
        co_await next_end(top);
    }
    while (top.stats().children[1].state != brood::child_state::ended)
        co_await brood::sleep(1ms);

    auto ready = co_await top.start("a");
    co_await top.stop("b");
    CHECK(ready);
    CHECK(top.stats().children[0].state == brood::child_state::ready);
    CHECK(top.stats().children[1].state == brood::child_state::stopped);
    co_await all_ready(top);
    co_await top.stop();
}

TEST_WITHIN(20s, "a child has limits of its own, and may be parked while the others go on",
            "[supervisor]")
{
    brood::child_settings fragile;
    fragile.limit = brood::restart_limit{1, 30s};
    fragile.delay = brood::backoff{0ms, 1ms, 1ms};
    fragile.on_limit = brood::on_limit::park;
    supervisor top(strategy::one_for_one, {});
    top.add<until_stopped>("good").add<never_ready>("bad", fragile);
    top.start();
    for (int end = 0; end < 2; ++end)
    {
        auto ended = co_await next_end(top);
        CHECK(ended.name == "bad");
    }
    while (top.stats().children[1].state != brood::child_state::parked)
        co_await brood::sleep(1ms);
    co_await all_ready(top);
    auto again = co_await top.start("bad"); // its failures are forgotten: two more

    CHECK_FALSE(again);
    CHECK(top.children()[1].starts == 4);
    CHECK(top.stats().children[1].failures == 4);
    fragile.on_limit = brood::on_limit::exit;
    supervisor other;
    CHECK_THROWS_WITH(other.add<never_ready>("bad", fragile), ContainsSubstring("on_limit::exit"));
    co_await top.stop();
}

TEST_WITHIN(30s,
            "a child is reloaded without a gap, and the old one goes on when the new one fails",
            "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/there";
    std::ofstream(file) << "yes";
    supervisor top(strategy::one_for_all, often());
    top.add<ready_if_there>("web", {}, file).add<until_stopped>("other");
    top.start();
    co_await all_ready(top);
    auto first = top.worker("web");

    auto report = co_await top.reload("web");
    auto second = top.worker("web");
    CHECK(report.complete());
    CHECK(report.replaced == 1);
    CHECK(second.id() == 2);
    CHECK(first.ended()->cause == exit_cause::replaced);
    auto told = co_await next_end(top);
    CHECK(told.name == "web");
    CHECK(told.cause == exit_cause::replaced);

    std::filesystem::remove(file);
    report = co_await top.reload();
    REQUIRE(report.failure);
    CHECK(report.failure->name == "web");
    CHECK(top.worker("web") == second);
    CHECK(top.worker("other").id() == 1); // the first that fails ends it
    for (auto& child : top.children())
        CHECK(child.starts == 1); // nobody was started again
    co_await top.stop();
    auto late = co_await top.reload("web");
    CHECK(late.stopped);
}

TEST_WITHIN(30s, "a reload of all children replaces those of clusters and supervisors too",
            "[supervisor]")
{
    brood::cluster_settings two;
    two.size = 2;
    supervisor front;
    front.add<until_stopped>("web");
    supervisor top(strategy::one_for_all, often());
    top.add("front", std::move(front)).add_cluster<until_stopped>("pool", two);
    top.start();
    co_await all_ready(top);

    auto report = co_await top.reload();
    CHECK(report.replaced == 3);
    CHECK(report.complete());
    CHECK(top.worker("front/web").id() == 2);
    CHECK(top.worker("pool/1").id() == 4);
    co_await top.stop();
}

TEST_WITHIN(20s, "the new worker of a reload goes when the old one dies meanwhile", "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/first";
    supervisor top(strategy::one_for_one, often());
    top.add<[](brood::process& self, std::string path) -> task<>
            {
                if (!std::filesystem::exists(path))
                    self.ready();
                note(path, "first");
                co_await self.shutdown();
            }>("web", {}, file);
    top.start();
    co_await all_ready(top);
    auto first = top.worker("web");
    while (notes(file) != "first")
        co_await brood::sleep(1ms);
    auto report = std::make_shared<brood::reload_report>();
    auto reloading = [](supervisor* of, std::shared_ptr<brood::reload_report> into) -> task<>
    {
        *into = co_await of->reload("web");
    };
    asio::co_spawn(top.executor(), reloading(&top, report), asio::detached);
    while (notes(file) != "first") // the new one has begun
        co_await brood::sleep(1ms);
    std::filesystem::remove(file);
    first.kill(SIGKILL);

    auto end = co_await next_end(top);
    CHECK(end.id == 2);
    CHECK(end.cause == exit_cause::taken_down);
    end = co_await next_end(top);
    CHECK(end.id == 1);
    CHECK(end.status.signal == SIGKILL);
    co_await started(top, 0, 2);
    CHECK(top.worker("web").id() == 3);
    CHECK(report->replaced == 0);
    co_await top.stop();
}

TEST_WITHIN(20s, "a stop ends the new worker of a reload that is under way", "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/first";
    supervisor top(strategy::one_for_one, often());
    top.add<[](brood::process& self, std::string path) -> task<>
            {
                auto is_first = !std::filesystem::exists(path);
                note(path, "started");
                if (is_first)
                    self.ready();
                co_await self.shutdown();
            }>("web", {}, file);
    top.start();
    co_await all_ready(top);
    auto events = top.events();
    auto executor = top.executor();
    auto report = std::make_shared<brood::reload_report>();
    auto reloading = [](supervisor* of, std::shared_ptr<brood::reload_report> into) -> task<>
    {
        *into = co_await of->reload("web");
    };
    asio::co_spawn(executor, reloading(&top, report), asio::detached);
    auto next = co_await events.next();
    while (next && next->what != brood::child_event::kind::online)
        next = co_await events.next();
    co_await top.stop();
    while (!report->stopped)
        co_await brood::sleep(1ms);

    CHECK(report->replaced == 0);
    CHECK_FALSE(report->failure);
}

TEST_WITHIN(20s, "a second, more urgent stop shortens the one under way", "[supervisor]")
{
    temporary_directory folder;
    auto file = folder.path().string() + "/notes";
    supervisor front;
    front.add<stubborn>("web", {}, "web", file);
    brood::cluster_settings one;
    one.size = 1;
    supervisor top(strategy::rest_for_one, often());
    top.add("front", std::move(front)).add<stubborn>("other", {}, "other", file);
    top.add_cluster<stubborn>("pool", one, "pool", file);
    top.start();
    co_await all_ready(top);
    auto executor = top.executor();
    asio::co_spawn(executor, top.stop(), asio::detached); // 30 s, and 5 s more
    while (top.stats().children.back().state != brood::child_state::draining)
        co_await brood::sleep(1ms);

    co_await top.stop(brood::stop_policy(50ms));
    auto none = top.stats().ready();
    CHECK(none == 0);
    for (auto& child : top.children())
        CHECK_FALSE(child.running);
}

TEST_WITHIN(20s, "a reload of a child, and a stop, go on when their waits are cancelled",
            "[supervisor]")
{
    supervisor top(strategy::one_for_one, often());
    top.add<until_stopped>("web").add<until_stopped>("other");
    top.start();
    co_await all_ready(top);
    auto executor = top.executor();
    asio::cancellation_signal cancel;
    auto slot = [&]
    {
        return asio::bind_cancellation_slot(cancel.slot(), asio::detached);
    };
    asio::co_spawn(executor, top.reload("web"), slot());
    while (top.worker("web").id() == 1 && top.stats().starts == 2)
        co_await brood::sleep(1ms);
    cancel.emit(asio::cancellation_type::all);
    while (top.worker("web").id() == 1)
        co_await brood::sleep(1ms);
    auto again = co_await top.reload("web"); // it waits for the one before, which is over soon
    CHECK(again.replaced == 1);

    asio::co_spawn(executor, top.stop("other"), slot());
    while (top.stats().children[1].state == brood::child_state::ready)
        co_await brood::sleep(1ms);
    cancel.emit(asio::cancellation_type::all);
    while (top.children()[1].running)
        co_await brood::sleep(1ms);
    CHECK(top.stats().children[1].state == brood::child_state::stopped);
    co_await top.stop();
}

TEST_WITHIN(20s, "a child has a delay of its own", "[supervisor]")
{
    brood::child_settings slow;
    slow.delay = brood::backoff{1h, 1h, 1h};
    supervisor top(strategy::one_for_one, often());
    top.add<until_stopped>("slow", slow).add<until_stopped>("other");
    top.start();
    co_await all_ready(top);
    top.worker("slow").kill(SIGKILL);
    co_await next_end(top);
    top.worker("other").kill(SIGKILL);
    while (top.children()[1].starts == 1)
        co_await brood::sleep(1ms);

    CHECK(top.children()[0].starts == 1);
    co_await top.stop();
}
