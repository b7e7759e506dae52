// SPDX-License-Identifier: BSL-1.0
// What a primary tells of workers elsewhere. A command of this machine stands for another machine.
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/presets.hpp>
#include <brood/metrics/prometheus.hpp>
#include <brood/pool.hpp>
#include <brood/process/process.hpp>
#include <brood/remote/command_launcher.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
using brood::cluster;
using brood::command_options;
using brood::exit_cause;
using brood::launch_command;
using brood::process;
using brood::task;
using brood::worker_program;
using Catch::Matchers::ContainsSubstring;

namespace
{

command_options by_shell(const std::string& before = {})
{
    command_options options;
    options.name = "sh here";
    options.command = [before](const worker_program& program)
    {
        launch_command command;
        command.program = "/bin/sh";
        command.args = {"-c", before + brood::remote_script(program)};
        return command;
    };
    options.workers = 1;
    options.orphan_grace = 1s;
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

int die()
{
    return ::kill(::getpid(), SIGKILL);
}

} // namespace

TEST_WITHIN(30s, "the host of a worker elsewhere is named wherever the worker is", "[elsewhere]")
{
    auto settings = brood::settings_for(brood::launch_by(by_shell("echo welcome; ")));
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
    brood::pool<die> calls(brood::launch_by(by_shell()));
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
