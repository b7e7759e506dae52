// SPDX-License-Identifier: BSL-1.0
#include <brood/process/process.hpp>

#include <brood/process/detail/process_core.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/signals.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

task<> introduce(process& self)
{
    self.send(static_cast<int>(self.pid()));
    self.send(static_cast<int>(self.ppid()));
    self.send(self.argv().size());
    co_return;
}

task<> show_environment(process& self)
{
    auto variables = self.env();
    self.send(variables.get("BROOD_CHANNEL").has_value() ||
              variables.get("BROOD_ENTRY").has_value());
    co_return;
}

task<> leave_early(process& self)
{
    std::string large(100'000, 'm');
    for (int count = 0; count < 20; ++count)
        self.send(large);
    co_await self.exit(7);
    self.send(std::string("never sent"));
}

task<> leave_a_child(process& self)
{
    auto child = brood::spawn("sleep", {"1000"});
    self.send(child.pid());
    co_await self.exit(3);
}

task<> wait_for_stop(process& self)
{
    self.send(std::string("ready"));
    co_await self.shutdown();
    self.send(std::string("asked"));
}

task<> tell_when_stopping(process& self)
{
    self.send(self.stopping());
    auto asked = self.shutdown();
    self.send(self.stopping());
    co_await std::move(asked);
    self.send(self.stopping());
}

task<> tell_when_alone(process& self)
{
    std::optional<std::string> word = "";
    while (word)
        word = co_await self.message<std::string>();
    self.exit_code(self.stopping() && self.is_ready() ? 3 : 4);
}

task<> run_hooks(process& self)
{
    self.on_exit([](int code) { std::_Exit(code + 1); });
    self.before_exit(
        [&self]() -> task<>
        {
            self.send(std::string("before"));
            self.exit_code(40);
            co_return;
        });
    self.send(std::string("main"));
    co_return;
}

/// Adds functions from functions, each of which holds what must live while it waits.
task<> add_hooks_in_hooks(process& self)
{
    std::string name = "a name that is too long to lie in the object itself";
    auto last = [&self, name]() -> task<>
    {
        self.send("third " + name);
        co_return;
    };
    auto first = [&self, name, last]() -> task<>
    {
        for (int count = 0; count < 20; ++count)
            self.before_exit([]() -> task<> { co_return; });
        self.before_exit(last);
        co_await brood::sleep(1ms);
        self.send("first " + name);
    };
    auto second = [&self, name]() -> task<>
    {
        self.send("second " + name);
        co_return;
    };
    self.before_exit(first);
    self.before_exit(second);
    self.on_exit(
        [&self, name](int)
        {
            for (int count = 0; count < 20; ++count)
                self.on_exit([](int) {});
            self.on_exit([&self, name](int) { self.exit_code(static_cast<int>(name.size())); });
        });
    co_return;
}

/// Sends more than a socket holds, and is gone in the first function of on_exit.
task<> send_much_and_vanish(process& self)
{
    self.on_exit([](int) { std::_Exit(5); });
    self.send(std::string(5 << 20, 'x'));
    co_return;
}

/// Cancelled while it waits for the end of the child whose handle has gone.
task<> exit_and_be_cancelled(process& self)
{
    auto not_after_exit = []() -> task<>
    {
        std::_Exit(4);
        co_return;
    };
    self.before_exit(not_after_exit);
    {
        brood::spawn_options stubborn;
        stubborn.stop = brood::stop_policy(50ms, SIGURG); // which nobody minds
        auto dropped = brood::spawn("sleep", {"60"}, stubborn);
    }
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal cancel;
    asio::co_spawn(executor, self.exit(7),
                   asio::bind_cancellation_slot(cancel.slot(), asio::detached));
    co_await brood::sleep(5ms);
    cancel.emit(asio::cancellation_type::all);
    co_await brood::sleep(3s);
}

task<> wait_for_signal(process& self)
{
    auto next = self.signal(SIGUSR1, SIGUSR2);
    brood::signals listening(SIGUSR1, SIGUSR2);
    self.send(std::string("ready"));
    auto number = co_await listening.next();
    self.send(number);
}

} // namespace

TEST_WITHIN(10s, "a child knows itself and its parent", "[process][node-215]")
{
    auto child = brood::fork<introduce>();

    auto pid = co_await child.message<int>();
    auto parent = co_await child.message<int>();
    auto words = co_await child.message<std::size_t>();

    CHECK(pid == child.pid());
    CHECK(parent == ::getpid());
    CHECK(words == 1u);
    co_await child.exit();
}

TEST_WITHIN(10s, "the variables that carry the channel are not seen by the child", "[process]")
{
    auto child = brood::fork<show_environment>();

    auto seen = co_await child.message<bool>();

    CHECK(seen == false);
    co_await child.exit();
}

TEST_WITHIN(20s, "exit(code) leaves no child behind", "[process]")
{
    auto child = brood::fork<leave_a_child>();
    auto pid = co_await child.message<pid_t>();
    auto status = co_await child.exit();

    CHECK(status.code == 3);
    REQUIRE(pid);
    CHECK(brood::test::gone(*pid));
    ::kill(*pid, SIGKILL);
}

TEST_WITHIN(20s, "exit(code) ends the process although its coroutine is cancelled", "[process]")
{
    auto child = brood::fork<exit_and_be_cancelled>();

    auto status = co_await child.exit();

    CHECK(status.code == 7);
}

TEST_WITHIN(20s, "exit(code) hands everything that was sent to the kernel first",
            "[process][node-B13]")
{
    auto child = brood::fork<leave_early>();

    int count = 0;
    while (auto text = co_await child.message<std::string>())
        count += text->size() == 100'000;

    CHECK(count == 20);
    auto status = co_await child.exit();
    CHECK(status.code == 7);
}

TEST_WITHIN(10s, "shutdown() is asked by SIGTERM, and what is sent then still arrives", "[process]")
{
    auto child = brood::fork<wait_for_stop>();
    co_await child.message<std::string>();
    child.kill(SIGTERM);

    auto asked = co_await child.message<std::string>();

    CHECK(asked == "asked");
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(10s, "shutdown() is asked by the end of the channel", "[process]")
{
    auto child = brood::fork<wait_for_stop>();
    co_await child.message<std::string>();
    child.disconnect();

    auto asked = co_await child.message<std::string>();

    CHECK(asked == "asked");
    co_await child.exit();
}

TEST_WITHIN(10s, "a process is stopping from the moment SIGTERM asks it to", "[process]")
{
    auto child = brood::fork<tell_when_stopping>();
    auto at_first = co_await child.message<bool>();
    auto listening = co_await child.message<bool>();
    CHECK(at_first == false);
    CHECK(listening == false);

    child.kill(SIGTERM);
    auto asked = co_await child.message<bool>();

    CHECK(asked == true);
    co_await child.exit();
}

TEST_WITHIN(10s, "a process is stopping when its channel has ended, and ready in no cluster",
            "[process]")
{
    auto child = brood::fork<tell_when_alone>();
    child.disconnect();
    auto ended = co_await child.exit();

    CHECK(ended.code == 3);
}

TEST_WITHIN(10s, "before_exit runs after the main coroutine, on_exit last", "[process][node-209]")
{
    auto child = brood::fork<run_hooks>();

    auto first = co_await child.message<std::string>();
    auto second = co_await child.message<std::string>();

    CHECK(first == "main");
    CHECK(second == "before");
    auto status = co_await child.exit();
    CHECK(status.code == 41);
}

TEST_WITHIN(10s, "functions for the end may add others, and live until they are done", "[process]")
{
    auto child = brood::fork<add_hooks_in_hooks>();

    std::string name = "a name that is too long to lie in the object itself";
    for (std::string order : {"first ", "second ", "third "})
    {
        auto said = co_await child.message<std::string>();
        CHECK(said == order + name);
    }
    auto status = co_await child.exit();
    CHECK(status.code == static_cast<int>(name.size()));
}

TEST_WITHIN(20s, "what main sent is with the kernel before the functions of on_exit are called",
            "[process]")
{
    auto child = brood::fork<send_much_and_vanish>();

    auto sent = co_await child.message<std::string>();

    CHECK(sent.value_or("").size() == 5 << 20);
    auto status = co_await child.exit();
    CHECK(status.code == 5);
}

TEST_WITHIN(10s, "a signal can be awaited, and says which one it was", "[process][node-224]")
{
    auto child = brood::fork<wait_for_signal>();
    co_await child.message<std::string>();
    child.kill(SIGUSR2);

    auto number = co_await child.message<int>();

    CHECK(number == SIGUSR2);
    co_await child.exit();
}

TEST_WITHIN(10s, "a process without a parent has no channel and says so", "[process]")
{
    auto self = brood::detail::process_core::make(brood::default_executor(), {}, {});

    CHECK_FALSE(self.connected());
    CHECK_THROWS_WITH(self.send(1), ContainsSubstring("start it with brood::fork()"));
    CHECK_THROWS_WITH(self.message<int>(), ContainsSubstring("no channel"));
    co_return;
}
