// SPDX-License-Identifier: BSL-1.0
// How a process ends by itself: its code, and what is called on the way.
#include <brood/process/fork.hpp>
#include <brood/process/signals.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::process;
using brood::task;

namespace
{

task<> exits_in_before_exit(process& self)
{
    self.before_exit(
        [&self]() -> task<>
        {
            self.send(std::string("first"));
            co_await self.exit(3);
            self.send(std::string("dropped"));
        });
    self.before_exit(
        [&self]() -> task<>
        {
            self.send(std::string("dropped"));
            co_return;
        });
    co_return;
}

task<> changes_its_code_on_exit(process& self)
{
    self.on_exit([&self](int code) { self.exit_code(code + 1); });
    self.on_exit([&self](int code) { self.exit_code(code * 10); });
    co_await self.exit(4);
}

task<> throws_before_exit(process& self)
{
    self.on_exit([&self](int) { self.exit_code(77); });
    self.before_exit(
        []() -> task<>
        {
            throw std::runtime_error("a test wants this");
            co_return;
        });
    co_return;
}

task<> exits_at_once(process& self)
{
    self.before_exit(
        [&self]() -> task<>
        {
            self.send(std::string("dropped"));
            co_return;
        });
    self.send(std::string("only"));
    co_await self.exit(5);
}

task<> stops_listening_on_exit(process& self)
{
    auto listening = std::make_shared<brood::signals>(SIGUSR1, SIGTERM);
    self.on_exit(
        [&self, listening](int code) mutable
        {
            listening.reset();
            self.exit_code(code + 1);
        });
    self.exit_code(6);
    co_return;
}

task<> throws_in_main(process& self)
{
    self.on_exit([&self](int code) { self.exit_code(code + 77); });
    self.before_exit(
        [&self]() -> task<>
        {
            self.send(std::string("dropped"));
            co_return;
        });
    throw std::runtime_error("a test wants this");
    co_return;
}

struct tells_its_end
{
    process& self;

    ~tells_its_end() { self.send(std::string("destroyed")); }
};

task<> exits_with_locals(process& self)
{
    tells_its_end local{self};
    self.on_exit([](int) { std::_Exit(8); }); // no destructor but those of coroutines comes before
    co_await self.exit(3);
}

/// Sends more than its parent, which takes nothing, lets it.
task<> exits_to_nobody(process& self)
{
    for (int count = 0; count < 3; ++count)
        self.send(std::string(5 << 20, 'x'));
    co_await self.exit(7);
}

/// Drops a child that takes its time to end, and whose end a function of on_exit looks for.
task<> drops_a_slow_child(process& self, bool by_exit)
{
    brood::spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    auto slow = "trap 'sleep 0.2; exit' TERM; echo; while :; do sleep 0.01; done";
    auto child = brood::spawn("sh", {"-c", slow}, options);
    co_await child.out().read_line();
    self.on_exit([&self, pid = child.pid()](int)
                 { self.exit_code(::kill(pid, 0) == -1 ? 21 : 22); });
    child = brood::child_process();
    if (by_exit)
        co_await self.exit(1);
}

task<> sends_on_exit(process& self, bool by_exit)
{
    self.on_exit(
        [&self](int code)
        {
            self.send("first " + std::to_string(code));
            self.on_exit([&self](int) { self.send(std::string("second")); });
        });
    if (by_exit)
        co_await self.exit(3);
}

task<> asks_three_times_for_its_stop(process& self)
{
    auto executor = co_await asio::this_coro::executor;
    int told = 0;
    auto wait = [&]() -> task<>
    {
        co_await self.shutdown();
        ++told;
    };
    asio::co_spawn(executor, wait(), asio::detached);
    asio::co_spawn(executor, wait(), asio::detached);
    self.send(std::string("ready"));
    co_await self.shutdown();
    co_await self.shutdown(); // it was asked already
    co_await brood::test::eventually(5s, [&] { return told == 2; });
    self.send(told);
}

task<> waits_for_one_signal(process& self)
{
    auto next = self.signal(SIGUSR1);
    self.send(std::string("ready"));
    auto number = co_await std::move(next);
    self.send(std::to_string(number));
    co_await brood::sleep(1h);
}

/// All that a child says before it ends.
task<std::vector<std::string>> words_of(brood::forked_process& child)
{
    std::vector<std::string> words;
    for (;;)
    {
        auto word = co_await child.message<std::string>();
        if (!word)
            break;
        words.push_back(*word);
    }
    co_return words;
}

} // namespace

TEST_WITHIN(20s, "exit() inside before_exit ends at once, and drops what was to follow",
            "[node-206]")
{
    auto child = brood::fork<exits_in_before_exit>();
    auto words = co_await words_of(child);
    auto status = co_await child.exit();

    CHECK(words == std::vector<std::string>{"first"});
    CHECK(status.code == 3);
}

TEST_WITHIN(20s, "functions of on_exit are called once each, and the last code wins", "[node-208]")
{
    auto child = brood::fork<changes_its_code_on_exit>();
    auto status = co_await child.exit();
    CHECK(status.code == 50);
}

TEST_WITHIN(20s, "functions of on_exit are called although before_exit threw", "[node-211]")
{
    auto child = brood::fork<throws_before_exit>();
    auto status = co_await child.exit();
    CHECK(status.code == 77);
}

TEST_WITHIN(20s, "before_exit is not run after an explicit exit", "[node-212]")
{
    auto child = brood::fork<exits_at_once>();
    auto words = co_await words_of(child);
    auto status = co_await child.exit();

    CHECK(words == std::vector<std::string>{"only"});
    CHECK(status.code == 5);
}

TEST_WITHIN(20s, "a process may stop listening to signals while it ends", "[node-223]")
{
    auto child = brood::fork<stops_listening_on_exit>();
    auto status = co_await child.exit();
    CHECK(status.code == 7);
}

TEST_WITHIN(20s, "nothing of before_exit is run after an exception, but functions of on_exit are",
            "[ending]")
{
    brood::spawn_options options;
    options.stderr_ = brood::stdio::ignore();
    auto child = brood::fork_with<throws_in_main>(options);
    auto words = co_await words_of(child);
    auto status = co_await child.exit();

    CHECK(words.empty());
    CHECK(status.code == 78);
}

TEST_WITHIN(20s, "exit() destroys no local of a coroutine", "[ending]")
{
    auto child = brood::fork<exits_with_locals>();
    auto words = co_await words_of(child);
    auto status = co_await child.exit();

    CHECK(words.empty());
    CHECK(status.code == 8);
}

TEST_WITHIN(60s, "exit() waits five seconds for a parent that takes nothing, and no longer",
            "[ending]")
{
    auto begin = std::chrono::steady_clock::now();
    auto child = brood::fork<exits_to_nobody>();
    auto status = co_await child.exit();
    auto took = std::chrono::steady_clock::now() - begin;

    CHECK(status.code == 7);
    CHECK(took >= 5s);
}

TEST_WITHIN(30s, "functions of on_exit come after the children whose handles have gone", "[ending]")
{
    for (bool by_exit : {false, true})
    {
        auto child = brood::fork<drops_a_slow_child>(by_exit);
        auto status = co_await child.exit();
        CHECK(status.code == 21);
    }
}

TEST_WITHIN(20s, "what functions of on_exit send arrives, whichever way the process ends",
            "[ending]")
{
    for (bool by_exit : {false, true})
    {
        auto child = brood::fork<sends_on_exit>(by_exit);
        auto words = co_await words_of(child);
        co_await child.exit();

        CHECK(words == std::vector<std::string>{by_exit ? "first 3" : "first 0", "second"});
    }
}

TEST_WITHIN(20s, "any number may wait to be asked to stop, and afterwards", "[ending]")
{
    auto child = brood::fork<asks_three_times_for_its_stop>();
    co_await child.message<std::string>();
    child.kill(SIGTERM);
    auto told = co_await child.message<int>();
    co_await child.exit();

    CHECK(told == 2);
}

TEST_WITHIN(20s, "a signal that was awaited does what it does by default afterwards", "[ending]")
{
    auto child = brood::fork<waits_for_one_signal>();
    co_await child.message<std::string>();
    child.kill(SIGUSR1);
    auto first = co_await child.message<std::string>();
    child.kill(SIGUSR1);
    auto status = co_await child.exit();

    CHECK(first == std::to_string(SIGUSR1));
    CHECK(status.signal == SIGUSR1);
}
