// SPDX-License-Identifier: BSL-1.0
// What a primary tells of workers elsewhere. A command of this machine stands for another machine.
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/presets.hpp>
#include <brood/metrics/prometheus.hpp>
#include <brood/pool.hpp>
#include <brood/process/listener.hpp>
#include <brood/process/process.hpp>
#include <brood/remote/command_launcher.hpp>

#include "support/by_shell.hpp"
#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <unistd.h>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using brood::cluster;
using brood::command_options;
using brood::exit_cause;
using brood::launch_command;
using brood::process;
using brood::task;
using brood::worker_program;
using brood::test::elsewhere;
using brood::test::eventually;
using Catch::Matchers::ContainsSubstring;

namespace
{

command_options one_by_shell(const std::string& before = {})
{
    auto options = brood::test::by_shell(before);
    options.workers = 1;
    return options;
}

std::string name_of_this_host()
{
    std::string name(256, '\0');
    ::gethostname(name.data(), name.size() - 1);
    return name.c_str();
}

task<> talk(process& self)
{
    std::puts("hello");
    std::fflush(stdout);
    self.ready();
    co_await self.message<std::string>();
}

/// Says a code of its own when the worker has ended.
command_options by_shell_that_ends_with(int code)
{
    auto options = one_by_shell();
    options.command = [code](const worker_program& program)
    {
        launch_command command;
        command.program = "/bin/sh";
        command.args = {"-c",
                        "(" + brood::remote_script(program) + "); exit " + std::to_string(code)};
        return command;
    };
    return options;
}

task<> listen_here(process& self)
{
    auto listener = co_await self.listen(0);
    auto connection = co_await listener.accept();
    co_await self.message<std::string>();
}

using text_and_block = brood::carrying<std::string, brood::shared_bytes>;

/// Sends back what it gets.
task<> mirror(process& self)
{
    while (auto came = co_await self.message<text_and_block>())
    {
        auto block = came->object();
        self.send(came->message, block.copied());
    }
}

task<> through_mirror(brood::forked_process child)
{
    std::string content(100'000, 'x');
    content += '\0';
    auto block = brood::shared_bytes::copy_of(std::as_bytes(std::span(content)));
    child.send(std::string("one"), block.copied());
    child.send(std::string("none"), brood::shared_bytes().copied());
    auto back = co_await child.message<int, text_and_block>();
    REQUIRE(back);
    auto& one = std::get<text_and_block>(*back);
    CHECK(one.message == "one");
    CHECK(std::ranges::equal(one.object().bytes(), block.bytes()));
    back = co_await child.message<int, text_and_block>();
    REQUIRE(back);
    CHECK(std::get<text_and_block>(*back).object().empty());
    child.disconnect();
    auto status = co_await child.exit();
    CHECK(status.success());
}

task<int> end_with(process&, int code)
{
    co_return code;
}

task<> exit_with(process& self, int code)
{
    co_await self.exit(code);
}

int die()
{
    return ::kill(::getpid(), SIGKILL);
}

} // namespace

TEST_WITHIN(30s, "the host of a worker elsewhere is named wherever the worker is", "[elsewhere]")
{
    auto settings = brood::settings_for(brood::launch_by(one_by_shell("echo welcome; ")));
    settings.output.where = brood::worker_output::goes::read;
    cluster<talk> workers(settings);
    auto only = workers.workers().front();
    CHECK(only.host().empty()); // it has not said so yet
    co_await workers.ready();
    auto host = name_of_this_host();
    CHECK(only.host() == host);
    auto stats = workers.stats();
    CHECK(stats.workers.front().host == host);
    CHECK_THAT(to_string(stats), ContainsSubstring("HOST"));
    CHECK_THAT(brood::prometheus_text(stats), ContainsSubstring("host=\"" + host + '"'));
    auto greeting = co_await workers.line();
    CHECK(greeting);
    auto line = co_await workers.line();
    REQUIRE(line);
    CHECK(to_string(*line) == "[0@" + host + '.' + std::to_string(only.pid()) + "] hello");
    only.kill(SIGKILL);
    auto ended = co_await only.exit();
    CHECK(ended.host == host);
    CHECK_THAT(to_string(ended), ContainsSubstring("worker 1 in slot 0 on " + host + ": "));
    CHECK(only.host() == host);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a call that lost its worker elsewhere says on which host", "[elsewhere]")
{
    brood::pool<die> calls(brood::launch_by(one_by_shell()));
    std::string told;
    try
    {
        co_await calls();
    }
    catch (const brood::worker_lost& lost)
    {
        told = lost.what();
        CHECK(lost.ended().host == name_of_this_host());
    }
    CHECK_THAT(told, ContainsSubstring(" on " + name_of_this_host() + ": "));
    co_await calls.stop();
}

TEST_WITHIN(30s, "a worker here has no host of its own", "[elsewhere]")
{
    cluster<talk> workers(brood::preset::batch(1));
    co_await workers.ready();
    CHECK(workers.workers().front().host().empty());
    CHECK_THAT(to_string(workers.stats()), !ContainsSubstring("HOST"));
    co_await workers.stop();
}

TEST_WITHIN(30s, "a process elsewhere says its exit code itself, whatever its launcher says",
            "[elsewhere]")
{
    auto other = brood::fork_with<end_with>(elsewhere(by_shell_that_ends_with(7)), 42);
    auto status = co_await other.exit();
    CHECK(status.code == 42);
    auto by_exit = brood::fork_with<exit_with>(elsewhere(by_shell_that_ends_with(7)), 41);
    status = co_await by_exit.exit();
    CHECK(status.code == 41);
    auto above = brood::fork_with<end_with>(elsewhere(one_by_shell()), 128 + SIGTERM);
    status = co_await above.exit();
    CHECK(status.code == 128 + SIGTERM); // and not SIGTERM, as a shell's code would mean
    CHECK(status.signal == 0);
    auto silent = by_shell_that_ends_with(0);
    silent.exit_status = brood::launcher_capabilities::status::none;
    auto unsaid = brood::fork_with<end_with>(elsewhere(silent), 3);
    status = co_await unsaid.exit();
    CHECK(status.code == 3);
    CHECK_FALSE(status.lost);
}

TEST_WITHIN(30s, "a worker elsewhere of whose end nobody tells is lost, and replaced",
            "[elsewhere]")
{
    auto by = by_shell_that_ends_with(0);
    by.exit_status = brood::launcher_capabilities::status::none;
    cluster<talk> workers(brood::launch_by(by));
    co_await workers.ready();
    auto first = workers.workers().front();
    first.kill(SIGKILL);
    auto ended = co_await first.exit();
    CHECK(ended.cause == exit_cause::lost);
    CHECK(ended.failed());
    CHECK(ended.status.lost);
    CHECK_THAT(to_string(ended), ContainsSubstring(" was lost after "));
    CHECK_THAT(to_string(ended), ContainsSubstring("sh here does not say how it ended"));
    auto replaced = co_await eventually(10s, [&] { return workers.worker_with_id(2).has_value(); });
    CHECK(replaced);
    auto ready = co_await workers.ready();
    CHECK(ready);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker elsewhere whose launcher is killed is lost, and not killed by that",
            "[elsewhere]")
{
    cluster<talk> workers(brood::launch_by(one_by_shell()));
    co_await workers.ready();
    auto first = workers.workers().front();
    ::kill(first.pid(), SIGKILL);
    auto ended = co_await first.exit();
    CHECK(ended.cause == exit_cause::lost);
    CHECK(ended.status.signal == 0);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker elsewhere that was killed, or ended, is not lost", "[elsewhere]")
{
    cluster<talk> workers(brood::launch_by(one_by_shell()));
    co_await workers.ready();
    auto first = workers.workers().front();
    first.kill(SIGKILL);
    auto ended = co_await first.exit();
    CHECK(ended.cause == exit_cause::signalled);
    co_await workers.ready();
    auto second = workers.workers().front();
    second.send(std::string("end"));
    ended = co_await second.exit();
    CHECK(ended.cause == exit_cause::exited);
    CHECK(ended.status.success());
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker elsewhere listens on its own host, and its primary is told where",
            "[elsewhere]")
{
    auto settings = brood::settings_for(brood::launch_by(one_by_shell()));
    settings.size = 2;
    cluster<listen_here> workers(settings);
    auto events = workers.events();
    std::vector<std::string> told;
    while (told.size() < 2)
    {
        auto event = co_await events.next();
        REQUIRE(event);
        if (event->what == brood::cluster_event::kind::listening)
            told.push_back(event->text);
    }
    CHECK(told[0] != told[1]); // each has a port of its own
    co_await workers.ready();
    for (auto& one : workers.stats().workers)
    {
        CHECK(one.listening_at.size() == 1);
        CHECK(one.host == name_of_this_host());
    }
    auto first = workers.workers().front();
    auto client = co_await brood::test::connect_to(first.port());
    CHECK(client.is_open());
    co_await workers.stop();
}

TEST_CASE("connections are not handed to workers elsewhere", "[elsewhere]")
{
    auto settings = brood::settings_for(brood::launch_by(one_by_shell()));
    for (auto policy : {brood::dispatch_policy::round_robin(), brood::dispatch_policy::sticky(),
                        brood::dispatch_policy::least_loaded()})
    {
        settings.dispatch = policy;
        CHECK_THROWS_WITH(settings.check(), ContainsSubstring("workers of sh here; use "
                                                              "dispatch_policy::shared()"));
    }
    settings.dispatch = brood::dispatch_policy::reuse_port();
    settings.check();
}

TEST_WITHIN(30s, "a block is copied to a process elsewhere when that is asked for, and shared here",
            "[elsewhere]")
{
    co_await through_mirror(brood::fork_with<mirror>(elsewhere(one_by_shell())));
    co_await through_mirror(brood::fork<mirror>());
}

TEST_WITHIN(30s, "a block that is only to be shared stays on this machine", "[elsewhere]")
{
    auto child = brood::fork_with<mirror>(elsewhere(one_by_shell()));
    brood::shared_bytes block;
    CHECK_THROWS_WITH(child.send(std::string("one"), block),
                      ContainsSubstring("sh here: ") && ContainsSubstring("copied()"));
    child.send(std::string("a"), block.copied(), block.copied()); // one more than it asks for
    auto status = co_await child.exit();
    CHECK(status.code == 1);
}
