// SPDX-License-Identifier: BSL-1.0
// What Node's cluster promises about the life of a worker and its messages.
#include <brood/cluster/cluster.hpp>

#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_table.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/write.hpp>

#include <cereal/types/map.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::task;
using Catch::Matchers::ContainsSubstring;
using event = brood::cluster_event::kind;

namespace
{

cluster_settings of_size(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    settings.restart.when = brood::restart::temporary;
    return settings;
}

task<> until_stopped(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
}

task<> echo_numbers(brood::process& self)
{
    for (;;)
    {
        auto number = co_await self.message<int>();
        if (!number)
            break;
        self.send(*number);
    }
}

using book = std::map<std::string, std::vector<std::vector<std::uint64_t>>>;

task<> echo_book(brood::process& self)
{
    auto pages = co_await self.message<book>();
    if (pages)
        self.send(*pages);
}

task<> broken_primary(brood::process& self)
{
    cluster<until_stopped> workers(of_size(1));
    self.on_uncaught([&self](std::exception_ptr) { self.exit_code(9); });
    co_await workers.ready();
    self.send(workers.workers()[0].pid());
    throw std::runtime_error("the primary is broken");
}

template <class Cluster>
task<brood::exit_info> next_end(Cluster& workers)
{
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    auto info = *ended;
    co_return info;
}

} // namespace

TEST_WITHIN(20s, "a rich value is echoed by a worker", "[cluster][node-117]")
{
    cluster<echo_book> workers(of_size(1));
    book sent = {{"empty", {}}, {"one", {{1}, {~std::uint64_t{0}}}}, {"", {{}, {2}}}};
    workers.workers()[0].send(sent);
    auto received = co_await workers.workers()[0].message<book>();

    CHECK(received == sent);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a cluster that is stopped right after its start leaves no worker",
            "[cluster][node-134][node-139]")
{
    cluster<until_stopped> workers(of_size(2));
    co_await workers.stop();
    CHECK(workers.workers().empty());

    co_await workers.stop(); // with no worker left
    CHECK(workers.workers().empty());
}

TEST_WITHIN(20s, "another pipe of a worker works both ways", "[cluster][node-144]")
{
    auto settings = of_size(1);
    settings.spawn.stdin_ = brood::stdio::pipe();
    settings.spawn.stdout_ = brood::stdio::pipe();
    cluster<[](brood::process& self) -> task<>
            {
                char letter = 0;
                while (::read(0, &letter, 1) == 1 && ::write(1, &letter, 1) == 1)
                    continue;
                co_await self.shutdown();
            }>
        workers(settings);
    auto& child = workers.workers()[0].process();
    std::string said = "both ways\n";
    co_await child.in().write(said);
    auto answer = co_await child.out().read_line();
    child.in().close();

    CHECK(answer == "both ways");
    co_await workers.stop();
}

TEST_WITHIN(20s, "a message of any worker is seen by the cluster, with the worker it came from",
            "[cluster][node-153][node-188]")
{
    cluster<echo_numbers> workers(of_size(3));
    for (auto& each : workers.workers())
        for (int round = 0; round < 100; ++round)
            each.send(static_cast<int>(each.slot()) * 1000 + round);
    std::map<std::size_t, int> next;
    for (int count = 0; count < 300; ++count)
    {
        auto one = co_await workers.message<int>();
        REQUIRE(one);
        auto slot = one->from.slot();
        CHECK(one->message == static_cast<int>(slot) * 1000 + next[slot]++);
    }
    CHECK(next == std::map<std::size_t, int>{{0, 100}, {1, 100}, {2, 100}});
    CHECK(workers.send(7) == 3);
    for (int count = 0; count < 3; ++count)
    {
        auto one = co_await workers.message<int>();
        CHECK((one && one->message == 7));
    }
    co_await workers.stop();
    auto none = co_await workers.message<int>();
    CHECK(!none);
}

TEST_WITHIN(20s,
            "messages that a worker sent before it ended are seen, and its successors are heard",
            "[cluster]")
{
    auto settings = of_size(1);
    settings.restart.when = brood::restart::permanent;
    cluster<[](brood::process& self) -> task<>
            {
                self.ready();
                self.send(self.worker_id());
                co_return;
            }>
        workers(settings);
    for (std::uint64_t id = 1; id <= 5; ++id)
    {
        auto number = co_await workers.message<std::uint64_t>();
        REQUIRE(number);
        CHECK(number->message == id);
        CHECK(number->from.id() == id);
    }
    co_await workers.stop();
}

TEST_WITHIN(20s, "a message of another type is an error for the cluster, and stays", "[cluster]")
{
    cluster<echo_numbers> workers(of_size(1));
    workers.send(4);
    try
    {
        co_await workers.message<std::string>();
        FAIL("a number was taken for a text");
    }
    catch (const brood::error& wrong)
    {
        CHECK_THAT(wrong.what(), ContainsSubstring("string"));
    }
    auto number = co_await workers.message<int>();
    REQUIRE(number);
    CHECK(number->message == 4);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker sends its own connection to the primary, which reads from it",
            "[cluster][node-159]")
{
    cluster<[](brood::process& self) -> task<>
            {
                auto listener = co_await self.listen(0);
                auto client = co_await listener.accept();
                self.send(1, std::move(*client));
                co_await self.shutdown();
            }>
        workers(of_size(1));
    co_await workers.ready();
    auto first = workers.workers()[0];
    auto client = co_await connect_to(first.port());
    auto got = co_await first.message<brood::carrying<int, asio::ip::tcp::socket>>();
    REQUIRE(got);
    co_await asio::async_write(client, asio::buffer("hello", 5), asio::use_awaitable);
    client.close();
    auto text = co_await read_all(std::move(got->object()));

    CHECK(text == "hello");
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker that lets go of its listener and its channel ends with 0",
            "[cluster][node-163][node-167]")
{
    cluster<[](brood::process& self) -> task<>
            {
                auto listener = co_await self.listen(0);
                listener.close();
                self.disconnect();
            }>
        workers(of_size(1));
    auto ended = co_await next_end(workers);

    CHECK(ended.status.success());
    CHECK(ended.cause == brood::exit_cause::exited);
    CHECK(ended.was_ready);
}

TEST_WITHIN(20s, "arguments, directory and variables reach every worker", "[cluster][node-178]")
{
    temporary_directory folder;
    auto settings = of_size(2);
    settings.program = "/bin/sh";
    settings.args = {"-c", "echo $0 $1 $COLOUR; pwd", "first", "second"};
    settings.spawn.cwd = folder.path().string();
    settings.spawn.env.emplace();
    settings.spawn.env->set("COLOUR", "red");
    settings.spawn.stdout_ = brood::stdio::pipe();
    cluster<brood::executable> workers(settings);
    for (auto& each : workers.workers())
    {
        auto said = co_await each.process().out().read_all();
        CHECK(said == "first second red\n" + folder.path().string() + '\n');
    }
    co_await workers.stop();
}

TEST_WITHIN(20s, "a code reaches those who wait for the worker and for the cluster, once each",
            "[cluster][node-184][node-189]")
{
    cluster<[](brood::process& self) -> task<>
            {
                self.ready();
                co_await self.exit(42);
            }>
        workers(of_size(1));
    auto events = workers.events();
    auto first = workers.workers()[0];
    auto by_worker = co_await first.exit();
    auto by_cluster = co_await next_end(workers);
    auto none = co_await workers.exit();

    CHECK(by_worker.status.code == 42);
    CHECK(by_worker == by_cluster);
    CHECK(by_worker.status.signal == 0);
    CHECK(!by_worker.wanted());
    CHECK(!none);
    CHECK(first.is_dead());
    std::multiset<event> seen;
    for (;;)
    {
        auto next = co_await events.next();
        if (!next)
            break;
        seen.insert(next->what);
    }
    CHECK(seen.count(event::exit) == 1);
    CHECK(seen.count(event::disconnect) == 1);
    CHECK(seen.count(event::ready) == 1);
}

TEST_WITHIN(20s, "a message right after online reaches the worker", "[cluster][node-192]")
{
    cluster<echo_numbers> workers(of_size(1));
    auto events = workers.events();
    for (;;)
    {
        auto next = co_await events.next();
        REQUIRE(next);
        if (next->what != event::online)
            continue;
        next->worker.send(5);
        break;
    }
    auto answer = co_await workers.message<int>();

    REQUIRE(answer);
    CHECK(answer->message == 5);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a primary that throws ends with a code, and takes its workers with it",
            "[cluster][node-182]")
{
    auto primary = brood::fork<broken_primary>();
    auto pid = co_await primary.message<pid_t>();
    auto status = co_await primary.exit();

    REQUIRE(pid);
    CHECK(status.code == 9);
    auto is_gone = co_await eventually(10s, [&] { return gone(*pid); });
    CHECK(is_gone);
}
