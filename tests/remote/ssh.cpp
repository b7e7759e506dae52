// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/ssh.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/pool.hpp>
#include <brood/process/process.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/ssh_server.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstdlib>
#include <set>
#include <string>
#include <sys/types.h>
#include <vector>

using namespace std::chrono_literals;
using brood::host_list;
using brood::pool;
using brood::pool_settings;
using brood::process;
using brood::ssh_settings;
using brood::task;
using brood::test::eventually;
using brood::test::ssh_server;
using Catch::Matchers::ContainsSubstring;

namespace
{

ssh_settings over(const ssh_server& server)
{
    ssh_settings settings;
    settings.options = server.options();
    settings.orphan_grace = 1s;
    return settings;
}

std::string my_host(int)
{
    auto name = std::getenv(ssh_server::host_variable);
    return name == nullptr ? "none" : name;
}

int square(int number)
{
    return number * number;
}

task<> echo(process& self)
{
    while (auto text = co_await self.message<std::string>())
        self.send(*text);
}

} // namespace

TEST_CASE("Workers over ssh need a host", "[ssh]")
{
    CHECK_THROWS_WITH(brood::ssh(host_list()), ContainsSubstring("need a host"));
    auto launcher = brood::ssh(host_list("n1", "n2:8", "me@n3"));
    CHECK(launcher->workers() == 10);
    CHECK_THAT(launcher->name(), ContainsSubstring("n2:8"));
}

TEST_WITH_SSH(60s, "A pool over ssh has workers on all of its hosts", "[ssh]")
{
    pool<my_host> calls(brood::ssh(host_list("w1", "w2"), over(server)));
    auto ready = co_await calls.ready();
    CHECK(ready);
    std::set<std::string> hosts;
    std::vector<task<std::string>> results;
    for (int number = 0; number < 40; ++number)
        results.push_back(calls(number));
    for (auto& each : results)
    {
        auto host = co_await std::move(each);
        hosts.insert(host);
    }
    CHECK(hosts == std::set<std::string>{"w1", "w2"});
    co_await calls.finish();
}

TEST_WITH_SSH(60s, "Without a tunnel a worker of ssh connects by itself", "[ssh]")
{
    auto settings = over(server);
    settings.direct = {"127.0.0.1"};
    pool<square> calls(brood::ssh(host_list("w1"), settings));
    auto result = co_await calls(12);
    CHECK(result == 144);
    co_await calls.stop();
}

TEST_WITH_SSH(60s, "A process over ssh ends with its channel, its code or its signal", "[ssh]")
{
    brood::spawn_options options;
    options.launcher = brood::ssh(host_list("w3"), over(server));
    auto child = brood::fork_with<echo>(options);
    child.send(std::string(100'000, 'x'));
    auto back = co_await child.message<std::string>();
    CHECK((back && back->size() == 100'000));
    child.disconnect();
    auto status = co_await child.exit();
    CHECK(status.success());
    auto killed = brood::fork_with<echo>(options);
    killed.send(std::string("a"));
    back = co_await killed.message<std::string>();
    CHECK(back);
    CHECK(killed.kill(SIGKILL));
    status = co_await killed.exit();
    CHECK(status.signal == SIGKILL);
}

TEST_WITH_SSH(120s, "Whatever dies of a worker over ssh, its calls have one outcome each", "[ssh]")
{
    pool_settings settings(brood::ssh(host_list("w1", "w2"), over(server)));
    settings.attempts = brood::at_least_once(20);
    settings.restart.per_cluster.failures = 1000;
    settings.restart.per_slot.failures = 1000;
    pool<square> calls(settings);
    co_await calls.ready();
    for (int round = 0; round < 3; ++round)
    {
        std::vector<task<int>> results;
        for (int number = 0; number < 100; ++number)
            results.push_back(calls(number));
        if (round == 1)
        {
            auto stats = calls.stats();
            for (auto& each : stats.workers.workers)
                ::kill(each.pid, SIGKILL); // their ssh
        }
        if (round == 2)
            for (auto each : server.sessions())
                ::kill(each, SIGKILL);
        for (int number = 0; number < 100; ++number)
        {
            auto result = co_await std::move(results[static_cast<std::size_t>(number)]);
            CHECK(result == number * number);
        }
    }
    co_await calls.stop();
    auto closed = co_await eventually(20s, [&] { return server.sessions().empty(); });
    CHECK(closed);
}

TEST_WITH_SSH(60s, "A host that cannot be reached ends the start with ssh's own code", "[ssh]")
{
    brood::spawn_options options;
    options.stderr_ = brood::stdio::pipe();
    for (auto name : {"closed", "stranger", "untrusted", "nowhere"})
    {
        options.launcher = brood::ssh(host_list(name), over(server));
        auto child = brood::fork_with<echo>(options);
        auto none = co_await child.message<std::string>();
        CHECK_FALSE(none);
        auto status = co_await child.exit();
        CHECK(status.code == 255);
        auto said = co_await child.err().read_all();
        CHECK_FALSE(said.empty());
    }
}
