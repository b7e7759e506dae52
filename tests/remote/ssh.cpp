// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/ssh.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/os/cpu.hpp>
#include <brood/pool.hpp>
#include <brood/process/process.hpp>

#include "support/catch.hpp"
#include "support/launched.hpp"
#include "support/patience.hpp"
#include "support/ssh_server.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <sys/types.h>
#include <vector>

using namespace std::chrono_literals;
using brood::host_list;
using brood::pool;
using brood::pool_settings;
using brood::ssh_settings;
using brood::task;
using namespace brood::test;
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

std::string my_program(int)
{
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

int square(int number)
{
    return number * number;
}

/// A primary of three workers, on two connections of which one is shared.
task<> doomed(brood::process& self, std::string config_file)
{
    ssh_settings settings;
    settings.options.config_file = config_file;
    settings.options.sessions_per_connection = 2;
    settings.orphan_grace = 100ms;
    pool<square> calls(brood::ssh(host_list("w1:3"), settings));
    auto ready = co_await calls.ready();
    self.send(ready);
    co_await self.message<bool>();
}

/// As long as it lives, control sockets are in a folder of the test.
struct sockets_in
{
    explicit sockets_in(const std::string& folder)
    {
        ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
    }

    sockets_in(const sockets_in&) = delete;
    sockets_in& operator=(const sockets_in&) = delete;

    ~sockets_in() { ::unsetenv("XDG_RUNTIME_DIR"); }
};

std::ptrdiff_t entries_of(const std::string& folder)
{
    auto all = std::filesystem::directory_iterator(folder);
    return std::distance(begin(all), end(all));
}

} // namespace

TEST_CASE("Workers over ssh need a host", "[ssh]")
{
    CHECK_THROWS_WITH(brood::ssh(host_list()), ContainsSubstring("need a host"));
    ssh_settings twice;
    twice.deploy.emplace();
    twice.program = "/opt/fib";
    CHECK_THROWS_AS(brood::ssh(host_list("n1"), twice), std::invalid_argument);
    auto launcher = brood::ssh(host_list("n1:1", "n2:8", "me@n3:1"));
    CHECK(launcher->workers() == 10);
    CHECK_THAT(launcher->name(), ContainsSubstring("n2:8"));
}

TEST_WITH_SSH(60s, "A host without a number takes a worker per processor that it may use", "[ssh]")
{
    auto here = brood::os::available_parallelism();
    auto settings = over(server);
    auto by = brood::ssh(host_list("w1", "w2:3"), settings);
    CHECK(by->workers() == here + 3);
    auto unknown = brood::ssh(host_list("nowhere", "closed"), settings);
    CHECK(unknown->workers() == 2); // whose start tells why they are not reached
    settings.options.program = "no-such-ssh";
    CHECK(brood::ssh(host_list("w1"), settings)->workers() == 1);

    auto asked = co_await brood::count_processors(host_list("w1", "w2:3"), server.options());

    CHECK(asked == host_list("w1:" + std::to_string(here), "w2:3"));
}

TEST_WITHIN(20s, "Without ssh here nothing is started, and that is told with the cure", "[ssh]")
{
    ssh_settings settings;
    settings.options.program = "no-such-ssh";
    brood::spawn_options options;
    options.launcher = brood::ssh(host_list("w1"), settings);
    CHECK_THROWS_WITH(brood::fork_with<echo>(options),
                      ContainsSubstring("no-such-ssh") &&
                          ContainsSubstring("install it on this machine"));
    co_return;
}

TEST_WITH_SSH(60s, "A pool over ssh has workers on all of its hosts", "[ssh]")
{
    pool<my_host> calls(brood::ssh(host_list("w1:1", "w2:1"), over(server)));
    auto ready = co_await calls.ready();
    CHECK(ready);
    auto hosts = co_await places_of(calls);
    CHECK(hosts == std::set<std::string>{"w1", "w2"});
    co_await calls.finish();
}

TEST_WITH_SSH(60s, "Without a tunnel a worker of ssh connects by itself", "[ssh]")
{
    auto settings = over(server);
    settings.direct = {"127.0.0.1"};
    pool<square> calls(brood::ssh(host_list("w1:1"), settings));
    auto result = co_await calls(12);
    CHECK(result == 144);
    co_await calls.stop();
}

TEST_WITH_SSH(60s, "A process over ssh ends with its channel, its code or its signal", "[ssh]")
{
    co_await ends_with_channel_and_signal(brood::ssh(host_list("w3:1"), over(server)));
}

TEST_WITH_SSH(120s, "Whatever dies of a worker over ssh, its calls have one outcome each", "[ssh]")
{
    pool_settings settings(brood::ssh(host_list("w1:1", "w2:1"), over(server)));
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

TEST_WITH_SSH(60s, "Why a worker did not come over ssh is told with host and cure", "[ssh]")
{
    struct line
    {
        std::string host, program, says;
    };
    auto script = server.folder().write("foreign", "\x7f"
                                                   "ELF of another machine");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    std::vector<line> table{
        {"closed", "", "host closed: nobody listens at the port of its sshd"},
        {"stranger", "", "host stranger: it takes no key of ours and would ask for a password"},
        {"untrusted", "", "host untrusted: its key is not known"},
        {"changed", "", "host changed: its key is not the one that is known"},
        {"nowhere", "", "host nowhere: its name does not resolve: check it"},
        {"w1", "/no/such/program", "host w1: the program is not there: install it"},
        {"w1", script, "host w1: the program there is for another architecture"},
    };
    for (auto& each : table)
    {
        auto settings = over(server);
        settings.program = each.program;
        auto told = co_await why_not(brood::ssh(host_list(each.host + ":1"), settings));
        CHECK_THAT(told, ContainsSubstring(each.says));
    }
}

TEST_WITH_SSH(60s, "A host that is set aside is told", "[ssh]")
{
    auto settings = over(server);
    settings.placement.failures = 2;
    std::vector<std::string> told;
    settings.placement.on_set_aside = [&](const brood::host_set_aside& aside)
    {
        told.push_back(to_string(aside));
    };
    auto by = brood::ssh(host_list("nowhere:1"), settings);
    co_await why_not(by);
    CHECK(told.empty());
    co_await why_not(by);
    CHECK(told == std::vector<std::string>{"host nowhere is set aside for 300 s: 2 workers failed "
                                           "there within 60 s"});
    brood::spawn_options options;
    options.launcher = by;
    CHECK_THROWS_WITH(brood::fork_with<echo>(options),
                      ContainsSubstring("takes another worker just now"));
}

TEST_WITH_SSH(60s, "A host that is set aside is told before the end that did it", "[ssh]")
{
    using kind = brood::cluster_event::kind;
    auto settings = over(server);
    settings.placement.failures = 1;
    pool<square> calls(brood::ssh(host_list("nowhere:1"), settings));
    auto events = calls.events();
    auto event = co_await events.next();
    while (event && event->what != kind::exit && event->what != kind::host_set_aside)
        event = co_await events.next();
    REQUIRE(event);
    CHECK(event->what == kind::host_set_aside);
    CHECK(event->text == "host nowhere is set aside for 300 s: 1 worker failed there within 60 s");
    CHECK(event->worker.host() == "nowhere");
    auto end = co_await events.next();
    while (end && end->what != kind::exit)
        end = co_await events.next();
    REQUIRE(end);
    CHECK(end->worker.id() == event->worker.id());
    CHECK(end->ended->status.host_set_aside == event->text);
    co_await calls.stop();
}

TEST_WITH_SSH(60s, "A pool whose workers cannot come over ssh fails with the cause", "[ssh]")
{
    pool_settings settings(brood::ssh(host_list("nowhere:1"), over(server)));
    settings.restart.per_cluster.failures = 1;
    pool<square> calls(settings);
    std::string told;
    try
    {
        co_await calls(3);
    }
    catch (const brood::error& failed)
    {
        told = failed.what();
    }
    CHECK_THAT(told, ContainsSubstring("host nowhere: its name does not resolve"));
}

TEST_WITH_SSH(60s, "Workers of a host share connections, of which nothing is left", "[ssh]")
{
    auto folder = server.folder() / "control";
    std::filesystem::create_directory(folder);
    {
        sockets_in there(folder);
        auto settings = over(server);
        settings.options.sessions_per_connection = 2;
        pool<square> calls(brood::ssh(host_list("w1:5"), settings));
        auto ready = co_await calls.ready();
        CHECK(ready);
        auto connected = [&]
        {
            return server.sessions().size() == 3 && calls.stats().workers.workers.size() == 5;
        };
        auto shared = co_await eventually(20s, connected);
        CHECK(shared);
        auto result = co_await calls(7);
        CHECK(result == 49);
        co_await calls.finish();
    }
    auto nothing = [&]
    {
        return server.sessions().empty() && std::filesystem::is_empty(folder);
    };
    auto left = co_await eventually(20s, nothing);
    CHECK(left);
}

TEST_WITH_SSH(60s, "Nothing is left of a primary over ssh that is killed", "[ssh]")
{
    auto folder = server.folder() / "killed";
    std::filesystem::create_directory(folder);
    brood::spawn_options options;
    options.env.emplace().set("XDG_RUNTIME_DIR", folder);
    auto primary = brood::fork_with<doomed>(options, server.options().config_file);
    auto ready = co_await primary.message<bool>();
    CHECK(ready == true);
    CHECK(server.sessions().size() == 2);
    primary.kill(SIGKILL);
    co_await primary.exit();

    // Neither a session, nor what holds a connection, nor a worker.
    auto nothing = [&]
    {
        return server.sessions().empty() && processes_that_know(server.folder().path()).empty();
    };
    auto gone = co_await eventually(20s, nothing);
    CHECK(gone);
    CHECK(entries_of(folder) == 1); // with the sockets of connections that are no more
    {
        sockets_in there(folder);
        auto next = brood::ssh(host_list("w1:3"), over(server));
        CHECK(entries_of(folder) == 1); // its own
        auto other = brood::ssh(host_list("w1:3"), over(server));
        CHECK(entries_of(folder) == 2); // that of one who lives stays
    }
    CHECK(entries_of(folder) == 0);
}

TEST_WITH_SSH(60s, "No more logins are under way at a host than it takes", "[ssh]")
{
    // Its sshd takes five at once.
    auto settings = over(server);
    settings.options.share_connections = false;
    settings.options.logins_at_once = 2;
    pool<square> calls(brood::ssh(host_list("w1:7"), settings));
    auto all_came = [&]
    {
        return server.sessions().size() == 7;
    };
    auto came = co_await eventually(40s, all_came);
    CHECK(came);
    CHECK(calls.stats().workers.failures == 0);
    co_await calls.stop();
}

TEST_WITH_SSH(60s, "The program is brought to a host once, for all of its workers", "[ssh]")
{
    auto settings = over(server);
    settings.deploy.emplace();
    settings.deploy->folder = server.folder() / "brought";
    pool<my_program> calls(brood::ssh(host_list("w1:2", "w2:1"), settings));
    auto path = co_await calls(1);
    CHECK_THAT(path, ContainsSubstring(settings.deploy->folder));
    co_await calls.finish();
    settings.deploy->folder = "/proc/1/nowhere";
    auto told = co_await why_not(brood::ssh(host_list("w1:1"), settings));
    CHECK_THAT(told, ContainsSubstring("host w1: deploy to w1: copy: "));
}
