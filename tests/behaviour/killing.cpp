// SPDX-License-Identifier: BSL-1.0
// How children end: by themselves, by a signal, by their time, and with their handles.
#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/disturbance.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::child_process;
using brood::exit_status;
using brood::spawn;
using brood::spawn_options;
using brood::stdio;
using brood::stop_policy;
using brood::task;

namespace
{

spawn_options without_core()
{
    spawn_options options;
    options.limits[RLIMIT_CORE] = rlimit{0, 0};
    return options;
}

task<> take(task<exit_status> end, std::optional<exit_status>& into)
{
    into = co_await std::move(end);
}

task<> throws(brood::process&)
{
    throw std::runtime_error("a test wants this");
    co_return;
}

task<> aborts(brood::process&)
{
    std::abort();
    co_return;
}

task<> talks(brood::process& self)
{
    std::string text(3000, 't');
    for (;;)
    {
        auto room = self.send(text);
        if (!room)
            co_await self.drain();
    }
}

task<> listens_to_all(brood::process& self)
{
    self.send(1);
    while (auto text = co_await self.message<std::string>())
        continue;
}

/// Writes into a file how its stream and its call have ended.
task<> tells_of_the_end(brood::process& self, std::string file)
{
    auto call = self.call<int>(std::string("unanswered"));
    self.send(1);
    std::string told = "no end";
    try
    {
        auto text = co_await self.message<std::string>();
        told = text ? "a message" : "the end";
    }
    catch (const brood::error& wrong)
    {
        told = wrong.what();
    }
    try
    {
        co_await std::move(call);
    }
    catch (const brood::error& ended)
    {
        told += ended.code() == brood::errc::closed ? ", closed" : ended.what();
    }
    std::ofstream(file + ".new") << told;
    std::filesystem::rename(file + ".new", file);
}

task<> dies_while_it_sends(brood::process&, std::string file)
{
    auto child = brood::fork<tells_of_the_end>(file);
    co_await child.message<int>();
    child.send(std::string(std::size_t{8} << 20, 'x')); // more than the kernel takes at once
    std::raise(SIGKILL);
}

/// A deaf child under a time limit, once it is deaf; what it was before that it must not count.
struct deaf
{
    child_process child;
    clock::time_point begun;
};

deaf start_deaf(std::chrono::milliseconds limit, std::chrono::milliseconds grace)
{
    spawn_options options;
    options.timeout = limit;
    options.stop = stop_policy(grace);
    auto begun = clock::now();
    return {printing(stubborn, options), begun};
}

} // namespace

TEST_CASE("a code and a signal are told apart", "[node-33]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto failing = shell("exit 23");
            auto crashing = shell("kill -SEGV $$", without_core());
            disturb(how, failing.pid());
            disturb(how, crashing.pid());
            auto code = co_await failing.exit();
            auto signal = co_await crashing.exit();

            CHECK(code.code == 23);
            CHECK(code.signal == 0);
            CHECK(signal.code == 0);
            CHECK(signal.signal == SIGSEGV);
            CHECK_FALSE(signal.success());
        });
}

TEST_WITHIN(20s, "a forked child that throws ends with 1, and one that aborts by its signal",
            "[node-33]")
{
    auto executor = co_await asio::this_coro::executor;
    auto options = without_core();
    options.stderr_ = stdio::pipe();
    auto throwing = brood::fork_with<throws>(executor, options);
    auto complaint = co_await throwing.err().read_all();
    auto code = co_await throwing.exit();
    auto aborting = brood::fork_with<aborts>(executor, options);
    auto signal = co_await aborting.exit();

    CHECK(code.code == 1);
    CHECK(code.signal == 0);
    CHECK_THAT(complaint, Catch::Matchers::ContainsSubstring("a test wants this"));
    CHECK(signal.signal == SIGABRT);
}

TEST_CASE("a handle that leaves its scope asks its child by SIGTERM", "[node-9]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            std::optional<exit_status> status;
            pid_t pid = 0;
            {
                auto child = spawn("sleep", {"1000"});
                pid = child.pid();
                asio::co_spawn(executor, take(child.exit(), status), asio::detached);
                disturb(how, pid);
            }
            auto ended = co_await eventually(5s, [&] { return status.has_value(); });

            REQUIRE(ended);
            CHECK(status->signal == SIGTERM);
            CHECK(gone(pid));
        });
}

TEST_CASE("a kill is noted at once, and its signal is known after the exit", "[node-9][node-62]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = spawn("sleep", {"1000"});
            CHECK(child.kill_requested() == 0);
            disturb(how, child.pid());
            CHECK(child.kill());
            CHECK(child.kill_requested() == SIGTERM);
            CHECK_FALSE(child.status());
            auto status = co_await child.exit();

            CHECK(status.signal == SIGTERM);
            CHECK_FALSE(child.kill());
        });
}

TEST_WITHIN(10s, "a probe changes nothing of a child", "[node-62][node-B15][defect-11]")
{
    spawn_options options;
    options.stdin_ = options.stdout_ = stdio::pipe();
    auto child = spawn("cat", {}, options);
    for (int probe = 0; probe < 3; ++probe)
    {
        CHECK(child.kill(0));
        CHECK(child.kill_tree(0));
    }
    CHECK(child.kill_requested() == 0);
    co_await child.in().write("still here\n");
    auto line = co_await child.out().read_line();
    CHECK(line == "still here");

    child.in().close();
    auto status = co_await child.exit();
    CHECK(status.success());
    CHECK_FALSE(child.kill(0));
    CHECK(child.kill_requested() == 0);
}

TEST_CASE("a time limit meets an end at the same moment: one of them, and nothing is left",
          "[node-85]")
{
    raced(
        [](disturbance how) -> task<>
        {
            spawn_options options;
            options.timeout = 3ms;
            options.stop = stop_policy(5s, SIGINT);
            auto child = shell("sleep 0.001; exit 3", options);
            disturb(how, child.pid());
            auto status = co_await child.exit();

            CHECK((status.code == 3 || status.signal == SIGINT));
        });
}

TEST_WITHIN(60s, "a child that ignores SIGTERM is killed when limit and grace are over",
            "[node-B19]")
{
    for (int limit = 200;; limit *= 2)
    {
        auto [child, begun] = start_deaf(std::chrono::milliseconds(limit), 100ms);
        auto ready = co_await child.out().read_line();
        auto status = co_await child.exit();
        if (!ready)
            continue; // the machine is slow: it was asked before it could be deaf

        CHECK(status.signal == SIGKILL);
        CHECK(status.code == 0);
        CHECK(clock::now() - begun >= std::chrono::milliseconds(limit + 100));
        CHECK(child.kill_requested() == 0); // the time did it, nobody here
        break;
    }
}

TEST_WITHIN(20s, "a stopped child is ended by its time limit as well", "[node-85]")
{
    spawn_options options;
    options.timeout = 50ms;
    auto child = spawn("sleep", {"1000"}, options);
    child.kill(SIGSTOP);
    auto status = co_await child.exit();

    CHECK(status.signal == SIGTERM);
}

TEST_WITHIN(60s, "a child that is ended while it sends ends its stream, and calls are closed",
            "[wire]")
{
    int ends = 0, closed = 0;
    for (int round = 0; round < 60; ++round)
    {
        auto child = brood::fork<talks>();
        co_await child.message<std::string>();
        auto call = child.call<int>(std::string("unanswered"));
        co_await brood::sleep(std::chrono::microseconds(100 * round));
        child.kill(round % 2 == 0 ? SIGKILL : SIGTERM);
        if (round % 3 == 0)
            co_await child.exit();
        auto text = co_await child.message<std::string>();
        while (text)
            text = co_await child.message<std::string>();
        ++ends;
        try
        {
            co_await std::move(call);
        }
        catch (const brood::error& ended)
        {
            closed += ended.code() == brood::errc::closed;
        }
    }

    CHECK(ends == 60);
    CHECK(closed == 60);
}

TEST_WITHIN(60s, "a parent that is ended while it sends ends the stream, and calls are closed",
            "[wire]")
{
    temporary_directory here;
    auto file = here / "end";
    auto parent = brood::fork<dies_while_it_sends>(file);
    auto status = co_await parent.exit();
    auto told = co_await eventually(10s, [&] { return std::filesystem::exists(file); });

    CHECK(status.signal == SIGKILL);
    CHECK(told);
    std::string how;
    std::getline(std::ifstream(file), how);
    CHECK(how == "the end, closed");
}

TEST_WITHIN(60s, "a child that is ended while it is sent to is no attacker", "[wire]")
{
    int ends = 0;
    for (int round = 0; round < 30; ++round)
    {
        auto child = brood::fork<listens_to_all>();
        auto ready = co_await child.message<int>();
        CHECK(ready == 1);
        for (int count = 0; count < 100; ++count)
            child.send(std::string(3000, 'x'));
        co_await brood::sleep(std::chrono::microseconds(100 * round));
        child.kill(SIGKILL);
        auto end = co_await child.message<int>();
        ends += !end;
    }

    CHECK(ends == 30);
}
