// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/worker.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/process/listener.hpp>
#include <brood/process/signals.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/descriptors.hpp"
#include "support/within.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <utility>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::task;
using brood::worker;
using brood::worker_state;

namespace
{

task<> square(brood::process& self)
{
    auto handler = [](int number)
    {
        return number * number;
    };
    co_await self.serve(handler);
}

/// What a health check of a worker would ask.
std::string health(const brood::process& self)
{
    return std::string(self.is_ready() ? "ready" : "not ready") +
           (self.stopping() ? ", stopping" : "");
}

task<> tells_its_health(brood::process& self)
{
    self.send(health(self));
    self.ready();
    self.send(health(self));
    co_await self.shutdown();
    self.send(health(self));
}

task<> ready_too_late(brood::process& self)
{
    brood::signals wait(SIGUSR1);
    self.send(0); // written in the next turn, when it waits
    co_await self.shutdown();
    self.ready();
    self.send(1);
    co_await wait.next();
}

task<> gives_up_too_late(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
    self.give_up("it is too late for that");
}

task<> listens_only(brood::process& self)
{
    auto listener = co_await self.listen(0);
    co_await self.shutdown();
}

ino_t inode_of(const brood::descriptor& open)
{
    struct stat file = {};
    return ::fstat(open.get(), &file) == 0 ? file.st_ino : 0;
}

cluster_settings one_that_stays_dead()
{
    cluster_settings settings;
    settings.size = 1;
    settings.restart.when = brood::restart::temporary;
    return settings;
}

} // namespace

TEST_WITHIN(20s, "the state of a worker is right at every step", "[worker][node-193][node-194]")
{
    cluster<square> workers(one_that_stays_dead());
    auto only = workers.workers().at(0);
    CHECK(only.state() == worker_state::starting);
    CHECK(only.connected());
    CHECK_FALSE(only.is_dead());
    CHECK_FALSE(only.ended());

    auto ready = co_await only.ready();
    CHECK(ready);
    CHECK(only.state() == worker_state::ready);

    co_await workers.stop();
    CHECK(only.is_dead());
    CHECK_FALSE(only.connected());
    REQUIRE(only.ended());
    CHECK(only.ended()->id == only.id());
    CHECK_FALSE(only.kill());
}

TEST_WITHIN(20s, "a worker knows whether it should get work", "[worker]")
{
    cluster<tells_its_health> workers(one_that_stays_dead());
    auto only = workers.workers().at(0);
    auto at_first = co_await only.message<std::string>();
    auto then = co_await only.message<std::string>();
    CHECK(at_first == "not ready");
    CHECK(then == "ready");

    auto ended = co_await only.stop();
    auto at_last = co_await only.message<std::string>();
    CHECK(at_last == "ready, stopping");
    CHECK(ended.cause == brood::exit_cause::stopped);
}

TEST_WITHIN(20s, "a worker that says it is ready while it is stopped gets no work", "[worker]")
{
    cluster<ready_too_late> workers(one_that_stays_dead());
    auto only = workers.workers().at(0);
    auto waits = co_await only.message<int>();
    CHECK(waits == 0);
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, only.stop(), asio::detached);
    auto said = co_await only.message<int>();

    CHECK(said == 1);
    CHECK(only.state() == worker_state::draining);
    CHECK(workers.stats().ready() == 0);
    CHECK(workers.stats().draining == 1);
    only.kill(SIGUSR1);
    auto ended = co_await only.exit();
    CHECK(ended.status.success());
}

TEST_WITHIN(20s, "a worker answers calls", "[worker]")
{
    cluster<square> workers(one_that_stays_dead());
    auto only = workers.workers().at(0);
    int number = 12;
    auto answer = co_await only.call<int>(number);

    CHECK(answer == 144);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker that is killed has no code and its signal, and leaves the list",
            "[worker][node-195]")
{
    cluster<square> workers(one_that_stays_dead());
    auto only = workers.workers().at(0);
    co_await only.ready();
    CHECK(only.kill(SIGKILL));
    auto ended = co_await only.exit();

    CHECK(ended.status.signal == SIGKILL);
    CHECK(ended.status.code == 0);
    CHECK(ended.failed()); // as by any other end by a signal
    CHECK(workers.workers().empty());
}

TEST_WITHIN(20s, "a worker that is stopped ends by itself, and its successor takes the slot",
            "[worker][node-187]")
{
    cluster_settings settings;
    settings.size = 1;
    cluster<square> workers(settings);
    auto first = workers.workers().at(0);
    co_await first.ready();
    auto ended = co_await first.stop();
    CHECK(ended.cause == brood::exit_cause::stopped);
    CHECK(ended.status.code == 0);
    CHECK(ended.status.signal == 0);

    auto ready = co_await workers.ready();
    CHECK(ready);
    CHECK(workers.workers().at(0).id() == 2);
    co_await first.stop(); // it has ended
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker that gives up once it was asked to stop has a successor all the same",
            "[worker]")
{
    cluster_settings settings;
    settings.size = 1;
    cluster<gives_up_too_late> workers(settings);
    auto first = workers.workers().at(0);
    co_await first.ready();
    auto ended = co_await first.stop();
    CHECK(ended.cause == brood::exit_cause::stopped);
    CHECK_FALSE(ended.failed());

    auto ready = co_await workers.ready();
    CHECK(ready);
    CHECK(workers.worker_with_id(2));
    co_await workers.stop();
}

TEST_WITHIN(20s, "a second, more urgent request shortens the stop of a worker", "[worker]")
{
    cluster<[](brood::process& self) -> task<>
            {
                std::signal(SIGTERM, SIG_IGN);
                self.ready();
                for (;;)
                    co_await brood::sleep(1h);
            }>
        workers(one_that_stays_dead());
    auto only = workers.workers().at(0);
    co_await only.ready();
    auto executor = workers.executor();
    auto asking = [](brood::worker one) -> task<>
    {
        co_await one.stop(); // 30 s, 5 s, and SIGKILL
    };
    asio::co_spawn(executor, asking(only), asio::detached);
    while (only.state() != brood::worker_state::draining)
        co_await brood::sleep(1ms);
    auto ended = co_await only.stop(brood::stop_policy(20ms));

    CHECK(ended.status.signal == SIGKILL);
    CHECK(ended.cause == brood::exit_cause::stopped);
    CHECK(ended.uptime < 15s);
    auto again = co_await only.stop(brood::stop_policy(20ms));
    CHECK(again == ended);
}

TEST_WITHIN(20s, "a worker that is remembered after its end keeps no descriptor", "[worker]")
{
    cluster_settings settings;
    settings.size = 1;
    cluster<square> workers(settings);
    co_await workers.ready();
    auto before = brood::test::open_descriptors().size();
    std::vector<worker> remembered;

    for (int round = 0; round < 5; ++round)
    {
        remembered.push_back(workers.workers().at(0));
        co_await remembered.back().stop();
        co_await workers.ready();
    }

    // The last may not have taken yet what it was sent.
    while (brood::test::open_descriptors().size() > before)
        co_await brood::sleep(1ms);
    co_await workers.stop();
}

TEST_WITHIN(20s, "what was sent to a worker that never took it comes back, and no connection does",
            "[worker]")
{
    auto settings = one_that_stays_dead();
    settings.dispatch = brood::dispatch_policy::round_robin();
    cluster<listens_only> workers(settings);
    auto only = workers.workers().at(0);
    co_await only.ready();
    only.kill(SIGSTOP);
    auto client = co_await connect_to(only.port());
    auto handed = [&]
    {
        return workers.stats().workers.at(0).history.dispatched == 1;
    };
    co_await eventually(10s, handed);
    brood::descriptor file(::open("/", O_RDONLY | O_CLOEXEC));
    auto inode = inode_of(file);
    only.send(1, std::move(file));
    only.send(2);
    co_await only.process().flush();
    CHECK(only.undelivered().empty()); // it may still take it

    only.kill(SIGKILL);
    auto ended = co_await only.exit();
    auto returned = only.undelivered();
    CHECK(ended.status.undelivered == 1);
    REQUIRE(returned.size() == 1);
    CHECK(inode_of(returned.at(0)) == inode);
    CHECK(only.undelivered().empty()); // they are ours now
}

TEST_WITHIN(20s, "to a worker that did not start nothing was sent", "[worker]")
{
    cluster_settings settings; // it is tried again
    settings.size = 1;
    settings.program = "./nothing-here";
    cluster<brood::executable> workers(settings);
    auto events = workers.events();
    auto event = co_await events.next();
    while (event && event->what != brood::cluster_event::kind::exit)
        event = co_await events.next();
    REQUIRE(event);
    CHECK(event->worker.undelivered().empty());
    co_await workers.stop();
}

TEST_WITHIN(20s, "whoever waits for a worker to be ready learns that it ended before", "[worker]")
{
    cluster<[](brood::process&) -> task<>
            {
                co_return;
            }>
        workers(one_that_stays_dead());
    auto all = workers.workers();
    if (all.empty())
    {
        auto ended = co_await workers.exit();
        FAIL(to_string(*ended));
    }
    auto only = all[0];
    auto ready = co_await only.ready();
    auto again = co_await only.ready();

    CHECK_FALSE(ready);
    CHECK_FALSE(again);
}

TEST_WITHIN(20s, "a worker whose channel is closed finishes by itself, and is replaced", "[worker]")
{
    cluster_settings settings;
    settings.size = 1;
    cluster<square> workers(settings);
    auto first = workers.workers().at(0);
    co_await first.ready();
    first.disconnect();
    auto ended = co_await first.exit();
    CHECK(ended.cause == brood::exit_cause::exited);
    CHECK(ended.status.success());
    co_await workers.ready();
    CHECK(workers.workers().at(0).id() == 2);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker whose channel is closed has five seconds, and ends itself then",
            "[worker]")
{
    cluster<[](brood::process& self) -> task<>
            {
                self.ready();
                for (;;)
                    co_await brood::sleep(1h);
            }>
        workers(one_that_stays_dead());
    auto only = workers.workers().at(0);
    co_await only.ready();
    auto begun = std::chrono::steady_clock::now();
    only.disconnect();
    auto ended = co_await only.exit();
    auto time = std::chrono::steady_clock::now() - begun;

    CHECK(time >= 5s);
    CHECK(ended.status.code == 1);
    CHECK(ended.cause == brood::exit_cause::exited); // its own end
}

TEST_WITHIN(20s, "workers are found by id and by slot", "[worker]")
{
    cluster_settings settings;
    settings.size = 3;
    cluster<square> workers(settings);
    co_await workers.ready();
    auto middle = workers.worker_in_slot(1);
    REQUIRE(middle);
    CHECK(middle->id() == 2);
    CHECK(workers.worker_with_id(2) == middle);
    middle->kill(SIGKILL);
    co_await middle->exit();
    co_await workers.ready();

    CHECK_FALSE(workers.worker_with_id(2));
    CHECK(workers.worker_in_slot(1) == workers.worker_with_id(4));
    CHECK_FALSE(workers.worker_in_slot(3));
    co_await workers.stop();
}

TEST_WITHIN(20s,
            "a worker that comes online once it was asked to stop is not taken for one that works",
            "[worker]")
{
    auto settings = one_that_stays_dead();
    settings.stop = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::signal(SIGCONT, 5s), brood::stop_step::kill_tree(5s)}); // it comes online
    cluster<[](brood::process& self) -> task<>
            {
                co_await self.shutdown();
            }>
        workers(settings);
    auto events = workers.events();
    auto only = workers.workers().at(0);

    auto ended = co_await only.stop();

    CHECK(ended.status.code == 0);
    for (;;)
    {
        auto event = co_await events.next();
        if (!event)
            break;
        CHECK(event->what != brood::cluster_event::kind::online);
    }
}
