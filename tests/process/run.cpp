// SPDX-License-Identifier: BSL-1.0
#include <brood/process/run.hpp>

#include <brood/process/detail/forking.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/within.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

task<int> five()
{
    co_return 5;
}

task<> nothing(process& self)
{
    self.exit_code(6);
    co_return;
}

task<> throws(process&)
{
    throw std::runtime_error("on purpose");
    co_return;
}

task<> drops_a_child()
{
    auto child = brood::spawn("sleep", {"3600"});
    co_return;
}

task<> send_until_parent_is_gone(process& self)
{
    self.send(1);
    co_await self.disconnected();
    co_await self.flush();
}

/// Where the standard streams of this process and of its child lead.
task<> tell_streams(process& self)
{
    auto ours = brood::test::open_descriptors();
    auto child = brood::spawn("sleep", {"1000"});
    auto theirs = brood::test::open_descriptors(std::to_string(child.pid()));
    for (int number : {0, 1, 2})
        self.send(ours[number] + " " + theirs[number]);
    child.kill(SIGKILL);
    co_await child.exit();
}

} // namespace

TEST_CASE("run gives what the main coroutine returns", "[run]")
{
    CHECK(brood::run(five) == 5);
    CHECK(brood::run(nothing) == 6);
}

TEST_CASE("run can be called again, and takes a lambda", "[run]")
{
    int calls = 0;
    auto count = [&]() -> task<>
    {
        ++calls;
        co_return;
    };

    CHECK(brood::run(count) == 0);
    CHECK(brood::run(count) == 0);
    CHECK(calls == 2);
}

TEST_WITHIN(10s, "an exception that leaves the main coroutine is shown and gives code 1",
            "[run][node-218]")
{
    brood::spawn_options options{.stderr_ = brood::stdio::pipe()};
    auto child = brood::fork_with<throws>(brood::default_executor(), options);

    auto text = co_await child.err().read_all();

    CHECK_THAT(text, ContainsSubstring("on purpose"));
    auto status = co_await child.exit();
    CHECK(status.code == 1);
}

TEST_CASE("run ends after the children whose handles have gone", "[run]")
{
    CHECK(brood::run(drops_a_child) == 0);
    // Nothing is left to wait for: the child was collected in the background.
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
}

TEST_WITHIN(10s, "a child whose parent closes the channel ends quietly with code 0", "[run]")
{
    auto child = brood::fork<send_until_parent_is_gone>();
    auto one = co_await child.message<int>();
    CHECK(one == 1);
    child.disconnect();

    auto status = co_await child.exit();

    CHECK(status.success());
}

TEST_CASE("a message comes through with busy polling", "[run]")
{
    auto round_trip = []() -> task<int>
    {
        auto [one, other] = brood::channel::pair();
        one.send(3);
        auto number = co_await other.message<int>();
        co_return number.value_or(0);
    };

    CHECK(brood::run(round_trip, {.busy_poll = 50us}) == 3);
}

TEST_WITHIN(20s, "standard streams that are closed lead to the null device, and not into the loop",
            "[run]")
{
    auto program = std::filesystem::read_symlink("/proc/self/exe").string();
    auto name = brood::detail::registered<tell_streams>::listed->name;
    auto child = brood::detail::fork(brood::default_executor(), "/bin/sh",
                                     {"-c", "exec " + program + " <&- >&- 2>&-"},
                                     brood::spawn_options(), name);
    for (int number : {0, 1, 2})
    {
        INFO("descriptor " << number);
        auto leads = co_await child.message<std::string>();
        CHECK(leads == "/dev/null /dev/null");
    }
    auto status = co_await child.exit();
    CHECK(status.success());
}
