// SPDX-License-Identifier: BSL-1.0
// Workers whose channel has ended while they live on, and clusters that end by failing.
#include <brood/brood.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/within.hpp"

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <sys/socket.h>

using namespace std::chrono_literals;
using brood::cluster;
using brood::task;
using event = brood::cluster_event::kind;

namespace
{

/// The first worker gives up its channel in one of several ways, and lives on without serving.
task<> serve_unless_first(brood::process& self, int how)
{
    auto listener = co_await self.listen(0);
    co_await self.flush();
    if (self.worker_id() == 1)
    {
        if (how == 0)
            self.disconnect();
        std::string nonsense(64, 'j');
        for (int number = 3; number < 64 && how == 1; ++number)
            ::send(number, nonsense.data(), nonsense.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        for (;;)
            co_await brood::sleep(1h);
    }
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        std::string text = "served\n";
        client->write_some(asio::buffer(text));
    }
}

task<> serve(brood::process& self)
{
    throw std::runtime_error("no configuration");
    co_await self.shutdown();
}

task<> obedient_primary(brood::process& self)
{
    brood::cluster_settings settings;
    settings.size = 2;
    settings.restart.per_slot.failures = 0;
    cluster<serve> workers(settings);
    auto ready = co_await workers.ready();
    self.send(ready);
    co_await brood::obey_signals(workers);
}

} // namespace

TEST_WITHIN(40s, "no connection goes to a worker whose channel has ended", "[cluster][unreachable]")
{
    for (int how : {0, 1})
    {
        brood::cluster_settings settings;
        settings.size = 2;
        settings.dispatch = brood::dispatch_policy::round_robin();
        settings.stop = brood::drain_policy(1s);
        cluster<serve_unless_first> workers(settings, how);
        auto events = workers.events();
        auto first = workers.workers().at(0);
        auto second = workers.workers().at(1);
        co_await second.ready();
        auto port = second.port();
        for (bool gone = false; !gone;)
        {
            auto next = co_await events.next();
            REQUIRE(next);
            gone = next->what == event::disconnect;
        }
        int served = 0;
        for (int client = 0; client < 6; ++client)
        {
            auto text = co_await brood::test::ask(port);
            served += text == "served\n" ? 1 : 0;
        }
        auto ended = co_await first.exit();
        co_await workers.stop();

        CHECK(served == 6);
        CHECK(ended.cause == brood::exit_cause::unreachable);
        CHECK(ended.uptime < 7s); // its drain once, and then a signal
    }
}

TEST_WITHIN(30s, "a cluster that fails ends its primary with a code", "[cluster][unreachable]")
{
    auto primary = brood::fork<obedient_primary>();
    auto ready = co_await primary.message<bool>();
    auto ended = co_await primary.exit();

    CHECK(ready == false);
    CHECK(ended.code == 1);
}
