// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/cluster.hpp>

#include <brood/brood.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/within.hpp"

#include <asio/write.hpp>

#include <csignal>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::exit_cause;
using brood::task;
using brood::worker_state;
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

task<> serve_its_id(brood::process& self)
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

task<> wait_for_messages(brood::process& self)
{
    for (;;)
    {
        auto message = co_await self.message<std::string>();
        if (!message)
            break;
        if (*message == "crash")
            self.exit_code(7);
        if (*message == "crash" || *message == "return")
            break;
        if (*message == "give up")
            self.give_up("no database");
        if (*message == "who")
            self.send(std::to_string(self.worker_id()) + " in " +
                      std::to_string(self.worker_slot()));
    }
}

task<> exit_at_once(brood::process& self)
{
    self.exit_code(1);
    co_return;
}

task<> read_nothing(brood::process& self)
{
    self.ready();
    co_await brood::sleep(1h);
}

/// Ends its channel a while before it ends itself.
task<> disconnect_first(brood::process& self)
{
    co_await brood::sleep(100ms);
    self.ready();
    self.disconnect();
    co_await brood::sleep(100ms);
}

task<> never_get_ready(brood::process& self)
{
    co_await self.shutdown();
}

task<> ignore_everything(brood::process& self)
{
    ::signal(SIGTERM, SIG_IGN);
    self.ready();
    co_await brood::sleep(1h);
}

template <class Cluster>
task<> all_ready(Cluster& workers)
{
    for (auto& each : workers.workers())
    {
        auto ready = co_await each.ready();
        CHECK(ready);
    }
}

} // namespace

TEST_WITHIN(20s, "workers have slots from 0, ids from 1, and know them", "[cluster]")
{
    cluster<wait_for_messages> workers(of_size(3));
    std::set<std::string> answers;
    for (auto& each : workers.workers())
    {
        each.send(std::string("who"));
        auto answer = co_await each.message<std::string>();
        answers.insert(answer.value_or("end"));
    }

    CHECK(answers == std::set<std::string>{"1 in 0", "2 in 1", "3 in 2"});
    co_await workers.stop();
}

TEST_WITHIN(30s,
            "a killed worker is told with its end, and its successor has the slot and a new id",
            "[cluster][T01]")
{
    cluster<wait_for_messages> workers(of_size(4));
    co_await all_ready(workers);
    for (std::size_t slot = 0; slot < 4; ++slot)
    {
        auto before = workers.workers();
        before[slot].kill(SIGKILL);

        auto ended = co_await workers.exit();
        REQUIRE(ended);
        CHECK(ended->slot == slot);
        CHECK(ended->id == slot + 1);
        CHECK(ended->status.signal == SIGKILL);
        CHECK(ended->cause == exit_cause::signalled);
        CHECK(ended->was_ready);

        co_await brood::sleep(1ms);
        auto after = workers.workers();
        REQUIRE(after.size() == 4);
        auto ready = co_await after[slot].ready();
        CHECK(ready);
        CHECK(after[slot].id() == 5 + slot);
        for (std::size_t other = 0; other < 4; ++other)
            CHECK((after[other].pid() == before[other].pid()) == (other != slot));
    }
    co_await workers.stop();
}

TEST_WITHIN(30s, "a cluster is ready when all of its workers are, those that replace others too",
            "[cluster]")
{
    cluster<serve_its_id> workers(of_size(3));
    auto ready = co_await workers.ready();
    CHECK(ready);
    for (auto& each : workers.workers())
        CHECK(each.state() == worker_state::ready);
    for (auto& each : workers.workers())
        each.kill(SIGKILL);
    co_await workers.exit();
    auto again = co_await workers.ready();
    CHECK(again);
    co_await workers.stop();
    auto none = co_await workers.ready();
    CHECK_FALSE(none);
}

TEST_WITHIN(20s, "no end is missed, whenever it is awaited", "[cluster]")
{
    cluster<wait_for_messages> workers(of_size(2));
    co_await all_ready(workers);
    auto first = workers.workers();
    first[0].send(std::string("return"));
    co_await first[0].exit();
    first[1].send(std::string("crash"));
    co_await first[1].exit();
    co_await workers.stop();

    std::map<std::uint64_t, brood::exit_info> ends;
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
        CHECK(ends.emplace(ended->id, *ended).second);
    }
    CHECK(ends.size() == 4);
    CHECK(ends[1].status.code == 0);
    CHECK_FALSE(ends[1].failed());
    CHECK(ends[2].status.code == 7);
    CHECK(ends[2].failed());
    CHECK(ends[3].cause == exit_cause::stopped);
    CHECK(ends[4].cause == exit_cause::stopped);
}

TEST_WITHIN(20s, "events come in their order to every listener", "[cluster][node-118]")
{
    cluster<serve_its_id> workers(of_size(1));
    auto one = workers.events();
    auto other = workers.events();
    co_await all_ready(workers);
    co_await workers.stop();
    std::vector<std::vector<event>> seen(2);
    for (auto stream : {&one, &other})
        for (;;)
        {
            auto next = co_await stream->next();
            if (!next)
                break;
            seen[stream == &other].push_back(next->what);
        }

    CHECK(seen[0] == std::vector{event::fork, event::online, event::listening, event::ready,
                                 event::disconnect, event::exit});
    CHECK(seen[0] == seen[1]);
}

TEST_WITHIN(60s,
            "workers that ask for port 0 share one port, which stays open while they come and go",
            "[cluster]")
{
    auto settings = of_size(2);
    settings.restart.per_slot.failures = 1000;
    settings.restart.per_cluster.failures = 1000;
    settings.restart.delay.base = 0ms;
    settings.restart.delay.cap = 0ms;
    cluster<serve_its_id> workers(settings);
    co_await all_ready(workers);
    auto at = workers.workers()[0].listening_at().at(0);
    CHECK(workers.workers()[1].listening_at().at(0) == at);

    for (int round = 0; round < 20; ++round)
    {
        for (auto& each : workers.workers())
            each.kill(SIGKILL);
        auto answer = co_await ask(port_of(at)); // it waits in the backlog
        CHECK(std::stoi(answer) > 2 * round + 2);
        co_await workers.exit();
        co_await workers.exit();
        co_await brood::sleep(1ms);
        co_await all_ready(workers);
    }
    co_await workers.stop();
    auto refused = false;
    try
    {
        co_await ask(port_of(at));
    }
    catch (const std::system_error& error)
    {
        refused = error.code() == asio::error::connection_refused;
    }
    CHECK(refused);
}

TEST_WITHIN(30s, "round robin hands connections out in turn", "[cluster]")
{
    auto settings = of_size(4);
    settings.dispatch = brood::dispatch_policy::round_robin();
    cluster<serve_its_id> workers(settings);
    co_await all_ready(workers);
    auto port = port_of(workers.workers()[0].listening_at().at(0));
    std::map<std::string, int> answers;
    for (int connection = 0; connection < 100; ++connection)
    {
        auto answer = co_await ask(port);
        ++answers[answer];
    }

    CHECK(answers == std::map<std::string, int>{{"1", 25}, {"2", 25}, {"3", 25}, {"4", 25}});
    co_await workers.stop();
}

TEST_WITHIN(30s, "a connection whose worker dies before it accepted goes to another", "[cluster]")
{
    auto settings = of_size(2);
    settings.dispatch = brood::dispatch_policy::round_robin();
    cluster<serve_its_id> workers(settings);
    co_await all_ready(workers);
    auto all = workers.workers();
    auto port = port_of(all[0].listening_at().at(0));
    all[0].kill(SIGSTOP);
    std::vector<asio::ip::tcp::socket> clients;
    for (int count = 0; count < 10; ++count)
    {
        auto client = co_await connect_to(port);
        clients.push_back(std::move(client));
    }
    std::set<std::string> answers;
    for (int count = 0; count < 10; ++count)
        if (count % 2 == 1)
        {
            auto answer = co_await read_all(std::move(clients[std::size_t(count)]));
            answers.insert(answer);
        }
    CHECK(answers == std::set<std::string>{"2"});

    all[0].kill(SIGKILL);

    for (int count = 0; count < 10; count += 2)
    {
        auto answer = co_await read_all(std::move(clients[std::size_t(count)]));
        CHECK((answer == "2" || answer == "3"));
    }
    co_await workers.stop();
}

TEST_WITHIN(20s, "a bind error reaches the worker that asked, and names the address",
            "[cluster][node-179]")
{
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor taken(executor, any);
    cluster<[](brood::process& self, std::uint16_t port) -> task<>
            {
                asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), port);
                try
                {
                    co_await self.listen(at);
                }
                catch (const std::system_error& refused)
                {
                    self.send(std::string(refused.what()));
                }
                co_await self.shutdown();
            }>
        workers(of_size(1), taken.local_endpoint().port());
    auto told = co_await workers.workers()[0].message<std::string>();

    CHECK(told == "listen on 127.0.0.1:" + std::to_string(taken.local_endpoint().port()) +
                      ": Address already in use");
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker that crashes at once for ever ends the cluster with the story",
            "[cluster][T04][node-B21]")
{
    auto settings = of_size(2);
    settings.restart.delay.base = 5ms;
    cluster<exit_at_once> workers(settings);
    std::string story;
    int ends = 0;
    try
    {
        for (;;)
        {
            auto ended = co_await workers.exit();
            if (!ended)
                break;
            auto was_cut_off = ended->wanted(); // by the end of the cluster, before it could fail
            CHECK((ended->status.code == 1 || was_cut_off));
            CHECK_FALSE(ended->was_ready);
            ++ends;
        }
    }
    catch (const brood::error& failed)
    {
        CHECK(failed.code() == brood::errc::too_many_failures);
        story = failed.what();
    }
    CHECK_THAT(story, ContainsSubstring("ended with code 1"));
    CHECK(ends >= 6);
    CHECK(ends <= 12);
}

TEST_WITHIN(30s, "a slot that fails too often is parked, and the others go on", "[cluster]")
{
    auto settings = of_size(2);
    settings.restart.on_limit = brood::on_limit::park;
    settings.restart.per_slot.failures = 2;
    settings.restart.delay.base = 1ms;
    cluster<[](brood::process& self) -> task<>
            {
                if (self.worker_slot() == 1)
                    std::_Exit(1);
                co_await self.message<int>();
            }>
        workers(settings);
    auto events = workers.events();
    for (;;)
    {
        auto next = co_await events.next();
        REQUIRE(next);
        if (next->what == event::parked)
            break;
    }

    auto left = workers.workers();
    REQUIRE(left.size() == 1);
    CHECK(left[0].slot() == 0);
    CHECK(left[0].id() == 1);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker that gives up is not started again", "[cluster]")
{
    cluster<wait_for_messages> workers(of_size(1));
    co_await all_ready(workers);
    auto only = workers.workers()[0];
    only.send(std::string("give up"));
    only.send(std::string("crash"));

    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->cause == exit_cause::gave_up);
    CHECK(ended->reason == "no database");
    auto none = co_await workers.exit();
    CHECK_FALSE(none);
}

TEST_WITHIN(20s, "workers that are never ready end the cluster, although each takes its time",
            "[cluster]")
{
    auto settings = of_size(1);
    settings.start_within = 100ms;
    settings.stop = brood::stop_policy(0ms, SIGKILL);
    settings.restart.delay.base = 1ms;
    settings.restart.per_slot = {2, 50ms};
    cluster<never_get_ready> workers(settings);
    int ends = 0;
    bool too_many = false;
    try
    {
        for (;;)
        {
            auto ended = co_await workers.exit();
            if (!ended)
                break;
            CHECK(ended->cause == exit_cause::start_timeout);
            ++ends;
        }
    }
    catch (const brood::error& failed)
    {
        too_many = failed.code() == brood::errc::too_many_failures;
    }
    CHECK(too_many);
    CHECK(ends == 3);
}

TEST_WITHIN(20s, "a worker that ends with a code that says so is not started again", "[cluster]")
{
    auto settings = of_size(1);
    settings.restart.final_codes = {2, 1};
    cluster<exit_at_once> workers(settings);
    auto events = workers.events();

    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->cause == exit_cause::exited);
    CHECK(ended->status.code == 1);
    auto none = co_await workers.exit();
    CHECK_FALSE(none);
    bool parked = false;
    while (auto next = co_await events.next())
        parked = parked || next->what == event::parked;
    CHECK(parked);
}

TEST_WITHIN(20s, "a program that cannot be started fails like a worker, with the step", "[cluster]")
{
    auto settings = of_size(1);
    settings.program = "/no/such/program";
    settings.restart.per_slot.failures = 1;
    settings.restart.delay.base = 1ms;
    cluster<brood::executable> workers(settings);

    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->cause == exit_cause::start_failed);
    CHECK_THAT(ended->reason, ContainsSubstring("exec: No such file"));
    auto again = co_await workers.exit();
    CHECK(again);
    auto failed = false;
    try
    {
        co_await workers.exit();
    }
    catch (const brood::error&)
    {
        failed = true;
    }
    CHECK(failed);
}

TEST_WITHIN(20s, "a worker that is not ready in time is ended, which is a failure",
            "[cluster][T06]")
{
    auto settings = of_size(1);
    settings.start_within = 50ms;
    settings.restart.when = brood::restart::temporary;
    cluster<never_get_ready> workers(settings);

    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->cause == exit_cause::start_timeout);
    CHECK(ended->failed());
}

TEST_WITHIN(20s, "a worker that ignores every request is killed in the end", "[cluster]")
{
    auto settings = of_size(2);
    settings.stop = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::disconnect(20ms), brood::stop_step::signal(SIGTERM, 20ms),
        brood::stop_step::signal(SIGKILL, 5s)});
    cluster<ignore_everything> workers(settings);
    co_await all_ready(workers);
    co_await workers.stop();

    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->status.signal == SIGKILL);
    CHECK(ended->cause == exit_cause::stopped);
}

TEST_WITHIN(20s, "a stop waits for the connection that a worker is serving", "[cluster][node-B14]")
{
    cluster<[](brood::process& self) -> task<>
            {
                auto listener = co_await self.listen(0);
                auto connection = co_await listener.accept();
                co_await self.shutdown();
                co_await brood::sleep(100ms);
                std::string text = "done";
                co_await asio::async_write(*connection, asio::buffer(text), asio::use_awaitable);
            }>
        workers(of_size(1));
    co_await all_ready(workers);
    auto port = port_of(workers.workers()[0].listening_at().at(0));
    auto client = co_await connect_to(port);
    co_await brood::sleep(20ms); // let it be accepted
    co_await workers.stop();
    auto answer = co_await read_all(std::move(client));

    CHECK(answer == "done");
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->status.code == 0);
}

TEST_WITHIN(30s, "a worker that reads nothing is stopped all the same", "[cluster]")
{
    auto settings = of_size(2);
    settings.stop = brood::stop_policy(500ms);
    cluster<read_nothing> workers(settings);
    co_await workers.ready();
    auto worker = workers.workers().at(0);
    std::string much(1 << 20, '.');
    auto full = false;
    while (!full)
    {
        try
        {
            worker.send(much);
        }
        catch (const brood::error&)
        {
            full = true;
        }
    }

    co_await workers.stop();

    CHECK(workers.workers().empty());
}

TEST_WITHIN(20s, "what a restart policy throws ends the cluster, which throws it", "[cluster]")
{
    auto settings = of_size(2);
    settings.restart.only_if = [](const brood::exit_info&) -> bool
    {
        throw std::runtime_error("no idea");
    };
    cluster<wait_for_messages> workers(settings);
    workers.workers().at(0).kill(SIGKILL);
    std::string said;
    try
    {
        for (auto more = true; more;)
        {
            auto ended = co_await workers.exit();
            more = ended.has_value();
        }
    }
    catch (const std::runtime_error& thrown)
    {
        said = thrown.what();
    }

    CHECK(said == "no idea");
    co_await workers.stop();
}

TEST_WITHIN(20s, "times without an end are never over", "[cluster]")
{
    auto settings = of_size(1);
    settings.start_within = std::chrono::milliseconds::max();
    settings.stop = brood::drain_policy(std::chrono::milliseconds::max());
    settings.restart.when = brood::restart::temporary;
    cluster<disconnect_first> workers(settings);

    auto ended = co_await workers.exit();

    CHECK(ended->cause == exit_cause::exited);
}

TEST_WITHIN(20s, "a cluster that has ended by itself starts no worker", "[cluster]")
{
    auto settings = of_size(1);
    settings.restart.when = brood::restart::temporary;
    cluster<exit_at_once> workers(settings);
    for (auto more = true; more;)
    {
        auto ended = co_await workers.exit();
        more = ended.has_value();
    }

    CHECK_THROWS_AS(workers.fork(), std::logic_error);
}

TEST_WITHIN(20s, "a cluster that goes ends its workers in the background", "[cluster]")
{
    {
        cluster<wait_for_messages> workers(of_size(2));
        co_await all_ready(workers);
    }
    {
        cluster<wait_for_messages> never_awaited(of_size(2));
    }
}

TEST_WITHIN(20s, "variables of one fork are in the environment of that worker and its successors",
            "[cluster][node-143]")
{
    auto settings = of_size(1);
    cluster<[](brood::process& self) -> task<>
            {
                auto value = self.env().get("BROOD_TEST").value_or("none");
                self.send(value);
                co_await self.message<int>();
            }>
        workers(settings);
    auto added = workers.fork({{"BROOD_TEST", "yes"}});
    auto usual = co_await workers.workers()[0].message<std::string>();
    auto own = co_await added.message<std::string>();
    CHECK(usual == "none");
    CHECK(own == "yes");
    CHECK(added.slot() == 1);

    added.kill(SIGKILL);
    co_await workers.exit();
    co_await brood::sleep(1ms);
    auto successor = workers.workers().at(1);
    auto again = co_await successor.message<std::string>();
    CHECK(again == "yes");
    auto report = co_await workers.reload();
    CHECK(report.replaced == 2);
    auto replaced = workers.workers().at(1);
    auto behind_reload = co_await replaced.message<std::string>();
    CHECK(behind_reload == "yes");
    co_await workers.stop();
}

TEST_WITHIN(20s, "a message for all reaches those that have their channel, and they are counted",
            "[cluster]")
{
    cluster<wait_for_messages> workers(of_size(3));
    co_await all_ready(workers);
    auto without = workers.workers().at(1);
    without.disconnect();

    auto reached = workers.send(std::string("who"));

    CHECK(reached == 2);
    std::set<std::string> answers;
    for (int count = 0; count < 2; ++count)
    {
        auto answer = co_await workers.message<std::string>();
        REQUIRE(answer);
        answers.insert(answer->message);
    }
    CHECK(answers == std::set<std::string>{"1 in 0", "3 in 2"});
    co_await workers.stop();
    CHECK(workers.send(std::string("who")) == 0);
}

TEST_WITHIN(20s, "a cluster that is assigned to another ends the workers that this had",
            "[cluster]")
{
    cluster<wait_for_messages> workers(of_size(1)), other(of_size(1));
    co_await all_ready(workers);
    co_await all_ready(other);
    auto old = workers.workers().at(0);
    auto kept = other.workers().at(0);

    workers = std::move(other);

    auto ended = co_await old.exit();
    CHECK(ended.cause == exit_cause::stopped);
    CHECK(workers.workers().at(0) == kept);
    CHECK_FALSE(kept.is_dead());
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker that talks nonsense to its primary loses its channel and is replaced",
            "[cluster]")
{
    auto settings = of_size(2);
    settings.stop = brood::drain_policy(50ms);
    cluster<[](brood::process& self) -> task<>
            {
                if (self.worker_id() == 1)
                {
                    // The channel of a forked process is its descriptor 3.
                    std::string garbage(100, 'x');
                    [[maybe_unused]] auto written = ::write(3, garbage.data(), garbage.size());
                }
                co_await self.shutdown();
            }>
        workers(settings);
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->id == 1);
    CHECK_THAT(ended->reason, ContainsSubstring("unknown kind"));
    CHECK(workers.workers().size() >= 1);
    co_await workers.stop();
}

TEST_WITHIN(20s, "what to run, for a cluster that cannot or must be told, is refused at once",
            "[cluster]")
{
    CHECK_THROWS_WITH(cluster<brood::executable>(of_size(1)),
                      ContainsSubstring("settings.program is empty"));
    auto settings = of_size(1);
    settings.program = "/bin/true";
    CHECK_THROWS_WITH(cluster<wait_for_messages>(settings),
                      ContainsSubstring("settings.program is for cluster<executable>"));
    co_return;
}
