// SPDX-License-Identifier: BSL-1.0
// How a process ends by itself: its code, and what is called on the way.
#include <brood/process/fork.hpp>
#include <brood/process/signals.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
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
