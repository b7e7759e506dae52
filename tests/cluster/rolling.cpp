// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/rolling.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/notified_manager.hpp"
#include "support/patience.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/write.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::exit_cause;
using brood::task;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace
{

cluster_settings of_size(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    return settings;
}

task<> greet(brood::process& self)
{
    auto listener = co_await self.listen(0);
    for (;;)
    {
        auto connection = co_await listener.accept();
        if (!connection)
            break;
        auto text = std::to_string(self.worker_id());
        co_await asio::async_write(*connection, asio::buffer(text), asio::use_awaitable);
    }
}

/// Takes a while to end.
task<> end_slowly(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
    co_await brood::sleep(30ms);
}

task<> ask_to_be_replaced(brood::process& self)
{
    self.ready();
    self.recycle();
    self.send(0);
    co_await self.message<int>();
}

/// Works as long as a file is there.
task<> work_while(brood::process& self, std::string path)
{
    if (!std::filesystem::exists(path))
        self.exit_code(3);
    else
        co_await self.message<int>();
}

task<> live_shortly_after_the_first(brood::process& self)
{
    self.ready();
    if (self.worker_id() != 1)
        co_await brood::sleep(20ms);
    else
        co_await self.shutdown();
}

/// The first two are, those that replace them never.
task<> ready_if_first(brood::process& self)
{
    if (self.worker_id() <= 2)
        self.ready();
    co_await self.shutdown();
}

/// Does what it does, whoever asks it to stop.
task<> work_or_fail(brood::process& self, std::string path)
{
    if (!std::filesystem::exists(path))
        self.exit_code(1);
    else
        co_await self.message<int>();
    self.exit_code(1);
}

task<> never_finish(brood::process& self)
{
    ::signal(SIGTERM, SIG_IGN);
    self.ready();
    for (;;)
        co_await brood::sleep(1h);
}

template <class Cluster>
task<> all_ready(Cluster& workers)
{
    for (auto& each : workers.workers())
        co_await each.ready();
}

template <class Cluster>
std::map<std::size_t, std::uint64_t> ids(const Cluster& workers)
{
    std::map<std::size_t, std::uint64_t> result;
    for (auto& each : workers.workers())
        result[each.slot()] = each.id();
    return result;
}

/// Tells the variable that its program was started with.
task<> tell_version(brood::process& self)
{
    auto version = self.env().get("VERSION").value_or("none");
    self.ready();
    for (;;)
    {
        auto asked = co_await self.message<int>();
        if (!asked)
            break;
        self.send(std::stoi(version));
    }
}

/// A program of that version; from this start on it fails.
std::string program(const temporary_directory& folder, int version, int fails_from = 1'000)
{
    auto self = std::filesystem::read_symlink("/proc/self/exe").string();
    auto name = "version-" + std::to_string(version);
    auto log = (folder.path() / (name + ".log")).string();
    auto path = folder.write(name, "#!/bin/sh\n"
                                   "echo started >> '" +
                                       log +
                                       "'\n"
                                       "[ $(wc -l < '" +
                                       log + "') -ge " + std::to_string(fails_from) +
                                       " ] && exit 1\n"
                                       "VERSION=" +
                                       std::to_string(version) + " BROOD_ENTRY='" +
                                       brood::detail::registered<tell_version>::listed->name +
                                       "' exec '" + self + "'\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
}

/// What each worker says, by slot.
template <class Cluster>
task<std::vector<int>> versions(Cluster& workers)
{
    std::vector<int> result;
    for (auto& each : workers.workers())
    {
        each.send(0);
        auto version = co_await each.template message<int>();
        result.push_back(version.value_or(-1));
    }
    co_return result;
}

struct load
{
    bool stop = false;
    int answered = 0;
    int failed = 0;
    int running = 0;
};

task<> ask_again_and_again(load& of, std::uint16_t port)
{
    ++of.running;
    while (!of.stop)
    {
        try
        {
            auto answer = co_await ask(port);
            ++(answer.empty() ? of.failed : of.answered);
        }
        catch (const std::system_error&)
        {
            ++of.failed;
        }
    }
    --of.running;
}

} // namespace

TEST_CASE("a reload replaces every worker, and no request fails meanwhile", "[rolling][T12]")
{
    for (auto dispatch : {brood::dispatch_policy::shared(), brood::dispatch_policy::round_robin()})
        within(60s,
               [&]() -> task<>
               {
                   auto settings = of_size(3);
                   settings.dispatch = dispatch;
                   cluster<greet> workers(settings);
                   co_await all_ready(workers);
                   auto port = port_of(workers.workers()[0].listening_at().at(0));
                   auto executor = co_await asio::this_coro::executor;
                   load clients;
                   for (int client = 0; client < 8; ++client)
                       asio::co_spawn(executor, ask_again_and_again(clients, port), asio::detached);
                   for (std::uint64_t round = 1; round <= 5; ++round)
                   {
                       auto report = co_await workers.reload();

                       CHECK(report.complete());
                       CHECK(report.replaced == 3);
                       auto now = ids(workers);
                       CHECK(now.size() == 3);
                       for (auto& [slot, id] : now)
                           CHECK(id > 3 * round);
                   }
                   clients.stop = true;
                   while (clients.running != 0)
                       co_await brood::sleep(1ms);

                   CHECK(clients.answered > 0);
                   CHECK(clients.failed == 0);
                   co_await workers.stop();
                   std::set<std::uint64_t> told;
                   for (;;)
                   {
                       auto ended = co_await workers.exit();
                       if (!ended)
                           break;
                       CHECK_FALSE(ended->failed());
                       CHECK(told.insert(ended->id).second);
                   }
                   CHECK(told.size() == 18);
               });
}

TEST_WITHIN(30s, "a reload whose first new worker fails ends there, and the old ones go on",
            "[rolling][T13]")
{
    temporary_directory folder;
    auto path = folder.write("work", "");
    cluster<work_while> workers(of_size(2), path);
    co_await all_ready(workers);
    std::filesystem::remove(path);

    auto report = co_await workers.reload();
    CHECK_FALSE(report.complete());
    CHECK(report.replaced == 0);
    REQUIRE(report.failure);
    CHECK(report.failure->status.code == 3);
    CHECK_THAT(to_string(report), ContainsSubstring("replaced 0 workers, then stopped: worker 3"));
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 1}, {1, 2}});

    folder.write("work", "");
    auto better = co_await workers.reload();
    CHECK(better.complete());
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 4}, {1, 5}});
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker that dies while it settles fails the reload", "[rolling][T13]")
{
    cluster<live_shortly_after_the_first> workers(of_size(1));
    co_await all_ready(workers);
    brood::reload_options options;
    options.settle = 10s;

    auto report = co_await workers.reload(options);
    CHECK(report.replaced == 0);
    REQUIRE(report.failure);
    CHECK(report.failure->id == 2);
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 1}});
    co_await workers.stop();
}

TEST_WITHIN(30s, "an old worker is asked to stop when the new one has settled", "[rolling]")
{
    cluster<end_slowly> workers(of_size(1));
    co_await all_ready(workers);
    auto begun = std::chrono::steady_clock::now();
    brood::reload_options options;
    options.settle = 100ms;
    auto report = co_await workers.reload(options);

    CHECK(report.complete());
    CHECK(std::chrono::steady_clock::now() - begun >= 130ms);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a reload has never more than one process more", "[rolling]")
{
    using what = brood::cluster_event::kind;
    using step = std::pair<what, std::uint64_t>;
    cluster<end_slowly> workers(of_size(2));
    co_await all_ready(workers);
    auto events = workers.events();
    co_await workers.reload();
    co_await workers.stop();

    std::vector<step> steps;
    while (steps.size() < 6)
    {
        auto event = co_await events.next();
        REQUIRE(event);
        if (event->what == what::fork || event->what == what::ready || event->what == what::exit)
            steps.emplace_back(event->what, event->worker.id());
    }
    CHECK(steps == std::vector<step>{{what::fork, 3},
                                     {what::ready, 3},
                                     {what::exit, 1},
                                     {what::fork, 4},
                                     {what::ready, 4},
                                     {what::exit, 2}});
}

TEST_WITHIN(30s, "who takes workers away waits for their ends", "[rolling]")
{
    cluster<end_slowly> workers(of_size(3));
    co_await all_ready(workers);
    auto all = workers.workers();
    co_await workers.scale(1);

    CHECK(all.at(1).is_dead());
    CHECK(all.at(2).is_dead());
    CHECK_FALSE(all.at(0).is_dead());
    co_await workers.stop();
}

TEST_WITHIN(30s, "a second reload waits for its turn", "[rolling]")
{
    cluster<greet> workers(of_size(2));
    co_await all_ready(workers);
    auto executor = co_await asio::this_coro::executor;
    int complete = 0;
    auto done = [&](std::exception_ptr, const brood::reload_report& report)
    {
        complete += report.complete() && report.replaced == 2;
    };
    for (int count = 0; count < 2; ++count)
    {
        auto reload = workers.reload();
        asio::co_spawn(executor, std::move(reload), done);
    }
    while (complete < 2)
        co_await brood::sleep(1ms);

    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 5}, {1, 6}});
    co_await workers.stop();
}

TEST_WITHIN(30s, "who comes just as a reload ends has its turn, and whoever waited waits on",
            "[rolling]")
{
    using what = brood::cluster_event::kind;
    cluster<greet> workers(of_size(1));
    co_await all_ready(workers);
    auto executor = co_await asio::this_coro::executor;
    auto complete = false;
    auto second = [&]() -> task<>
    {
        co_await brood::sleep(1ms); // behind the first
        auto report = co_await workers.reload();
        complete = report.complete();
    };
    asio::co_spawn(executor, second(), asio::detached);
    co_await workers.reload();
    auto events = workers.events();
    co_await workers.scale(2);
    while (!complete)
        co_await brood::sleep(1ms);

    std::vector<what> order;
    while (order.size() < 4)
    {
        auto event = co_await events.next();
        REQUIRE(event);
        if (event->what == what::fork || event->what == what::ready)
            order.push_back(event->what);
    }
    CHECK(order == std::vector<what>{what::fork, what::ready, what::fork, what::ready});
    co_await workers.stop();
}

TEST_WITHIN(30s, "a service manager hears of each reload, and that it is over, however it went",
            "[rolling]")
{
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    auto path = folder.write("work", "");
    auto settings = of_size(2);
    settings.manager.emplace();
    cluster<work_while> workers(settings, path);
    co_await all_ready(workers);
    CHECK(over.has_heard_all());
    for (bool fails : {false, true})
    {
        if (fails)
            std::filesystem::remove(path);
        auto report = co_await workers.reload();
        CHECK(report.complete() == !fails);
        CHECK_THAT(over.heard(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
        CHECK(over.heard() == "READY=1");
    }
    co_await workers.scale(1);
    co_await workers.stop();
    co_await workers.reload();
    CHECK(over.has_heard_all());
}

TEST_WITHIN(30s, "a service manager that is gone keeps no worker from being replaced", "[rolling]")
{
    temporary_directory folder;
    auto settings = of_size(1);
    {
        notified_manager gone((folder.path() / "notify").string());
        settings.manager.emplace();
    }
    cluster<greet> workers(settings);
    auto report = co_await workers.reload();

    CHECK(report.complete());
    co_await workers.stop();
}

TEST_WITHIN(
    30s, "the youngest worker is taken away, or the oldest, and its slot is the next to be filled",
    "[rolling]")
{
    using who = std::map<std::size_t, std::uint64_t>;
    cluster<greet> workers(of_size(3));
    co_await all_ready(workers);
    workers.workers().at(1).kill(SIGKILL); // worker 4 takes its slot
    co_await workers.exit();
    co_await workers.ready();

    co_await workers.scale(2);
    CHECK(ids(workers) == who{{0, 1}, {2, 3}});
    co_await workers.scale(1, brood::scale_down::oldest);
    CHECK(ids(workers) == who{{2, 3}});
    CHECK(workers.size() == 1);
    CHECK(workers.stats().workers.at(0).slot == 2);

    auto report = co_await workers.reload();
    CHECK(report.replaced == 1);
    CHECK(ids(workers) == who{{2, 5}});
    co_await workers.scale(4);
    CHECK(ids(workers) == who{{0, 6}, {1, 7}, {2, 5}, {3, 8}});
    co_await workers.stop();
}

TEST_WITHIN(30s, "a slot without a worker is taken away first", "[rolling]")
{
    for (auto which : {brood::scale_down::youngest, brood::scale_down::oldest})
    {
        auto settings = of_size(3);
        settings.restart.only_if = [](const brood::exit_info&)
        {
            return false;
        };
        cluster<greet> workers(settings);
        co_await all_ready(workers);
        workers.workers().at(1).kill(SIGKILL);
        co_await workers.exit();

        co_await workers.scale(2, which);
        CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 1}, {2, 3}});
        co_await workers.stop();
    }
}

TEST_WITHIN(30s, "a worker that is chosen goes for good, and its slot with it", "[rolling]")
{
    cluster<greet> workers(of_size(3));
    co_await all_ready(workers);
    auto chosen = workers.workers().at(1);
    auto ended = co_await workers.retire(chosen);
    auto told = co_await workers.exit();

    CHECK(ended.id == 2);
    CHECK(ended.cause == exit_cause::scaled_down);
    CHECK(told == ended);
    CHECK(workers.size() == 2);
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 1}, {2, 3}});
    auto again = co_await workers.retire(chosen);
    CHECK(again == ended);
    CHECK(workers.size() == 2);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker that has a successor by now takes nobody with it when it is retired",
            "[rolling]")
{
    auto settings = of_size(1);
    settings.restart.delay.first = 0ms;
    cluster<greet> workers(settings);
    co_await all_ready(workers);
    auto first = workers.workers().at(0);
    first.kill(SIGKILL);
    co_await workers.exit();
    co_await all_ready(workers);
    auto ended = co_await workers.retire(first);

    CHECK(ended.status.signal == SIGKILL);
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 2}});
    co_await workers.retire(workers.workers().at(0));
    CHECK(workers.size() == 0);
    co_await workers.scale(1); // one without workers waits for more
    co_await all_ready(workers);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker is retired once a reload that began before is over", "[rolling]")
{
    cluster<greet> workers(of_size(2));
    co_await all_ready(workers);
    auto executor = workers.executor();
    auto first = workers.workers().at(0);
    asio::co_spawn(executor, workers.reload(), asio::detached);
    while (workers.stats().starts == 2)
        co_await brood::sleep(1ms);
    auto ended = co_await workers.retire(first);

    CHECK(ended.cause == exit_cause::replaced); // it has a successor, which stays
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 3}, {1, 4}});
    co_await workers.stop();
}

TEST_WITHIN(30s, "a reload goes on behind a parked slot, which gets another chance", "[rolling]")
{
    auto settings = of_size(3);
    settings.restart.on_limit = brood::on_limit::park;
    settings.restart.per_slot.failures = 0;
    cluster<greet> workers(settings);
    co_await all_ready(workers);
    workers.workers().at(1).kill(SIGKILL);
    co_await workers.exit();
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 1}, {2, 3}});

    auto report = co_await workers.reload();
    CHECK(report.complete());
    CHECK(ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 4}, {1, 5}, {2, 6}});
    co_await workers.stop();
}

TEST_WITHIN(30s, "a parked slot whose new worker fails as well does not end a reload", "[rolling]")
{
    temporary_directory folder;
    auto settings = of_size(2);
    settings.restart.when = brood::restart::temporary;
    auto file = folder.path().string() + "/works";
    std::ofstream(file) << "yes";
    cluster<work_or_fail> workers(settings, file);
    co_await all_ready(workers);
    auto first = workers.workers().at(0);
    first.send(0); // ends with code 1, as its successor will
    co_await first.exit();

    std::filesystem::remove(file);
    auto report = co_await workers.reload();
    CHECK(report.replaced == 0);
    REQUIRE(report.failure);
    CHECK(report.failure->slot == 1); // of a worker that ran
    co_await workers.stop();
}

TEST_WITHIN(30s, "scaling tries all new workers, although none can be started and none again",
            "[rolling]")
{
    temporary_directory folder;
    auto program = folder.path().string() + "/works";
    std::filesystem::copy_file("/bin/sleep", program);
    auto settings = of_size(1);
    settings.program = program;
    settings.args = {"1000"};
    settings.restart.when = brood::restart::temporary;
    cluster<brood::executable> workers(settings);
    co_await workers.ready();
    co_await workers.scale(0);
    std::filesystem::remove(program);

    co_await workers.scale(3);
    std::map<exit_cause, int> ends;
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
        ++ends[ended->cause];
    }
    CHECK(ends[exit_cause::start_failed] == 3);
    CHECK(ends[exit_cause::scaled_down] == 1);
}

TEST_WITHIN(60s, "scaling adds workers and takes others away, asked and not killed",
            "[rolling][T18]")
{
    cluster<greet> workers(of_size(1));
    co_await all_ready(workers);
    for (std::size_t size : {8U, 3U, 5U, 1U, 2U})
    {
        co_await workers.scale(size);
        CHECK(workers.workers().size() == size);
        co_await all_ready(workers);
    }
    co_await workers.stop();
    int taken_away = 0;
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
        CHECK(ended->status.code == 0);
        CHECK(ended->status.signal == 0);
        taken_away += ended->cause == exit_cause::scaled_down;
    }
    CHECK(taken_away == 9);
}

TEST_WITHIN(60s, "a worker that has done enough is replaced, which is no failure", "[rolling][T19]")
{
    auto settings = of_size(2);
    settings.recycle.min_lifetime = 0ms;
    settings.restart.per_slot.failures = 0;
    cluster<[](brood::process& self) -> task<>
            {
                self.recycle();
                co_await self.message<int>();
            }>
        workers(settings);
    for (int count = 0; count < 4; ++count)
    {
        auto ended = co_await workers.exit();
        REQUIRE(ended);
        CHECK(ended->cause == exit_cause::recycled);
        CHECK_FALSE(ended->failed());
        CHECK(workers.workers().size() == 2);
    }
    co_await workers.stop();
}

TEST_WITHIN(30s, "no worker is replaced before its shortest life is over, although it asks for it",
            "[rolling]")
{
    auto settings = of_size(2);
    settings.recycle.min_lifetime = 1h;
    settings.recycle.max_age = 1ms;
    cluster<ask_to_be_replaced> workers(settings);
    auto all = workers.workers();
    for (auto& each : all)
        co_await each.message<int>();
    all.at(1).kill(SIGKILL); // the cluster looks whose time is over when anything changes
    co_await workers.exit();
    co_await workers.ready();

    CHECK(workers.stats().starts == 3);
    CHECK(all.at(0).state() == brood::worker_state::ready);
    co_await workers.stop();
}

TEST_CASE("a worker that is old, or holds too much memory, is replaced", "[rolling]")
{
    for (bool by_age : {true, false})
        within(30s,
               [by_age]() -> task<>
               {
                   auto settings = of_size(1);
                   settings.recycle.min_lifetime = 1ms;
                   if (by_age)
                       settings.recycle.max_age = 10ms;
                   else
                       settings.recycle.max_memory = 1;
                   cluster<greet> workers(settings);
                   auto ended = co_await workers.exit();

                   REQUIRE(ended);
                   CHECK(ended->cause == exit_cause::recycled);
                   co_await workers.stop();
               });
}

TEST_WITHIN(30s, "a reload to another program is for all later workers too", "[rolling]")
{
    temporary_directory folder;
    auto settings = of_size(3);
    settings.program = program(folder, 1);
    cluster<brood::executable> workers(settings);
    co_await workers.ready();
    auto now = co_await versions(workers);
    CHECK(now == std::vector<int>{1, 1, 1});

    auto report = co_await workers.reload(program(folder, 2));
    CHECK(report.complete());
    now = co_await versions(workers);
    CHECK(now == std::vector<int>{2, 2, 2});

    auto first = workers.workers().at(0);
    first.kill(SIGKILL);
    co_await first.exit();
    co_await workers.ready();
    now = co_await versions(workers);
    CHECK(now == std::vector<int>{2, 2, 2});
    co_await workers.stop();
}

TEST_WITHIN(30s, "a reload to a program that fails changes nothing, for later workers neither",
            "[rolling][T13]")
{
    temporary_directory folder;
    auto settings = of_size(2);
    settings.program = program(folder, 1);
    cluster<brood::executable> workers(settings);
    co_await workers.ready();
    auto report = co_await workers.reload(program(folder, 2, 1));
    CHECK(report.replaced == 0);
    REQUIRE(report.failure);
    CHECK(report.failure->status.code == 1);

    auto first = workers.workers().at(0);
    first.kill(SIGKILL);
    co_await first.exit();
    co_await workers.ready();
    auto now = co_await versions(workers);
    CHECK(now == std::vector<int>{1, 1});
    co_await workers.stop();
}

TEST_CASE("a reload that fails half-way keeps what was replaced, or restores it", "[rolling][T13]")
{
    for (bool restore : {false, true})
        within(30s,
               [=]() -> task<>
               {
                   temporary_directory folder;
                   auto settings = of_size(3);
                   settings.program = program(folder, 1);
                   cluster<brood::executable> workers(settings);
                   co_await workers.ready();
                   brood::reload_options options;
                   options.restore = restore;
                   auto report = co_await workers.reload(program(folder, 2, 2), options);
                   CHECK(report.replaced == 1);
                   CHECK(report.restored == (restore ? 1 : 0));
                   CHECK(report.failure);
                   auto now = co_await versions(workers);
                   CHECK(now == std::vector<int>{restore ? 1 : 2, 1, 1});
                   co_await workers.stop();
               });
}

TEST_CASE("a worker that has accepted enough connections is replaced, under every policy",
          "[rolling]")
{
    for (auto& dispatch : {brood::dispatch_policy::shared(), brood::dispatch_policy::round_robin()})
        within(30s,
               [&]() -> task<>
               {
                   auto settings = of_size(1);
                   settings.dispatch = dispatch;
                   settings.recycle.max_connections = 20;
                   settings.recycle.min_lifetime = 0ms;
                   cluster<greet> workers(settings);
                   co_await workers.ready();
                   auto port = workers.workers().at(0).port();
                   std::map<std::string, int> answers;
                   while (answers.size() < 3)
                   {
                       auto who = co_await ask(port);
                       CHECK_FALSE(who.empty());
                       ++answers[who];
                   }
                   CHECK(answers["1"] >= 18); // a tenth fewer, by chance
                   CHECK(workers.stats().failures == 0);
                   co_await workers.stop();
               });
}

TEST_WITHIN(20s, "a stop ends the worker that a reload is about to bring in", "[rolling]")
{
    cluster<ready_if_first> workers(of_size(2));
    co_await all_ready(workers);
    auto events = workers.events();
    auto executor = co_await asio::this_coro::executor;
    std::optional<brood::reload_report> report;
    auto reload = workers.reload();
    asio::co_spawn(executor, std::move(reload),
                   [&](std::exception_ptr, const brood::reload_report& told) { report = told; });
    auto forked = co_await events.next();
    while (forked && forked->what != brood::cluster_event::kind::fork)
        forked = co_await events.next(); // what the first two still tell may come before it
    REQUIRE(forked);

    co_await workers.stop();
    CHECK(forked->worker.is_dead());
    std::set<std::uint64_t> told;
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
        CHECK(ended->cause == exit_cause::stopped);
        told.insert(ended->id);
    }
    CHECK(told == std::set<std::uint64_t>{1, 2, 3});
    auto is_over = [&]
    {
        return report.has_value();
    };
    auto over = co_await eventually(5s, is_over);
    REQUIRE(over);
    CHECK_FALSE(report->complete());
    CHECK(to_string(*report) == "replaced 0 workers, then the cluster was stopped");
}

TEST_WITHIN(20s, "a stop by another policy also hastens workers that were scaled away", "[rolling]")
{
    cluster<never_finish> workers(of_size(2));
    co_await all_ready(workers);
    auto executor = co_await asio::this_coro::executor;
    auto last = workers.workers().at(1);
    auto scaling = workers.scale(1);
    asio::co_spawn(executor, std::move(scaling), asio::detached);
    while (last.state() != brood::worker_state::draining)
        co_await brood::sleep(1ms);

    auto asked = std::chrono::steady_clock::now();
    co_await workers.stop(brood::stop_policy(20ms));
    CHECK(std::chrono::steady_clock::now() - asked < 10s);
    CHECK(last.is_dead());
}

TEST_WITHIN(20s, "a cluster that was stopped starts no worker again, whatever is asked of it",
            "[rolling]")
{
    cluster<greet> workers(of_size(1));
    co_await all_ready(workers);
    co_await workers.stop();

    co_await workers.scale(3);
    auto report = co_await workers.reload();
    CHECK_FALSE(report.complete());
    CHECK(report.replaced == 0);
    CHECK_THROWS_AS(workers.fork(), std::logic_error);
    CHECK(workers.workers().empty());
    CHECK(workers.stats().starts == 1);
}

TEST_WITHIN(20s, "a reload whose wait is cancelled goes on", "[rolling]")
{
    cluster<greet> workers(of_size(2));
    co_await all_ready(workers);
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal cancel;
    auto reload = workers.reload();
    auto token = asio::bind_cancellation_slot(cancel.slot(), asio::detached);
    asio::co_spawn(executor, std::move(reload), token);
    while (workers.stats().starts == 2)
        co_await brood::sleep(1ms);
    cancel.emit(asio::cancellation_type::all);

    auto renewed = [&]
    {
        return ids(workers) == std::map<std::size_t, std::uint64_t>{{0, 3}, {1, 4}};
    };
    auto done = co_await eventually(10s, renewed);
    CHECK(done);
    co_await workers.stop();
}
