// SPDX-License-Identifier: BSL-1.0
#include <brood/process/run.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/process/detail/forking.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/orphans.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/internal/pipe_ends.hpp>
#include <brood/process/spawn.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/process_table.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::process;
using brood::task;
using brood::test::children;
using brood::test::eventually;
using brood::test::find_process;
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

task<> throws_and_fails_to_show_it(process& self)
{
    self.on_uncaught([](std::exception_ptr) { throw std::logic_error("no log"); });
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

TEST_WITHIN(10s, "what ends a process is told although the function that shows it throws", "[run]")
{
    brood::spawn_options options{.stderr_ = brood::stdio::pipe()};
    auto executor = brood::default_executor();
    auto child = brood::fork_with<throws_and_fails_to_show_it>(executor, options);

    auto text = co_await child.err().read_all();

    CHECK_THAT(text, ContainsSubstring("on purpose"));
    auto status = co_await child.exit();
    CHECK(status.code == 1);
}

TEST_CASE("behind an exception nothing of before_exit runs, and all of on_exit", "[run]")
{
    bool before = false, last = false;
    auto main = [&](process& self) -> task<>
    {
        self.before_exit(
            [&]() -> task<>
            {
                before = true;
                co_return;
            });
        self.on_exit([&](int code) { last = code == 1; });
        throw std::runtime_error("on purpose");
        co_return;
    };

    CHECK(brood::run(main) == 1);
    CHECK_FALSE(before);
    CHECK(last);
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

TEST_CASE("a variable that names no channel of this process is no parent, and its file stays",
          "[run]")
{
    brood::detail::pipe_ends file;
    REQUIRE(file.open());
    auto [one, other] = brood::detail::local_pair();
    auto number = std::to_string(file.reading.get());
    auto another = brood::detail::name_of_channel(one.get(), other);
    for (std::string stale : {number, number + ".1", another, std::string("999"), std::string("x")})
    {
        INFO(stale);
        ::setenv(brood::detail::channel_variable, stale.c_str(), 1);
        ::setenv(brood::detail::entry_variable, "an entry of another program", 1);
        auto connected = [](process& self) -> task<int>
        {
            co_return self.connected() ? 1 : 2;
        };
        CHECK(brood::run(connected) == 2);
        CHECK(std::getenv(brood::detail::channel_variable) == nullptr);
        CHECK(std::getenv(brood::detail::entry_variable) == nullptr);
    }
    CHECK(::fcntl(file.reading.get(), F_GETFD) != -1);
    CHECK(::fcntl(one.get(), F_GETFD) != -1);
}

TEST_CASE("a main coroutine that returns a code returns that one, 0 as well", "[run]")
{
    auto zero = [](process& self) -> task<int>
    {
        self.exit_code(3);
        co_return 0;
    };

    CHECK(brood::run(zero) == 0);
}

TEST_CASE("a function of on_exit that throws is shown, and the next one is called", "[run]")
{
    bool called = false;
    std::string shown;
    auto main = [&](process& self) -> task<>
    {
        self.on_uncaught(
            [&](std::exception_ptr thrown)
            {
                try
                {
                    std::rethrow_exception(thrown);
                }
                catch (const std::exception& what)
                {
                    shown = what.what();
                }
            });
        self.on_exit([](int) { throw std::runtime_error("on purpose"); });
        self.on_exit([&](int) { called = true; });
        co_return;
    };

    CHECK(brood::run(main) == 1);
    CHECK(called);
    CHECK(shown == "on purpose");
}

TEST_CASE("orphans that come to this process are collected, and no child that others wait for",
          "[run]")
{
    std::vector<pid_t> orphans;
    auto main = [&]() -> task<>
    {
        auto foreign = ::fork();
        if (foreign == 0)
            ::_exit(33);
        brood::spawn_options options;
        options.group = brood::process_group::own();
        options.stdout_ = brood::stdio::pipe();
        // One in the group of its parent, one in the session of somebody else, and of one that
        // stays: its end is ours.
        for (std::string script : {"(sleep 0.01; exit 3) & echo $!",
                                   "setsid sh -c 'setsid sleep 1000 & (exit 4) & echo $!'",
                                   "exec sh -c '(exit 5) & echo $!; exec sleep 0.05'"})
        {
            auto child = brood::spawn("sh", {"-c", script}, options);
            auto text = co_await child.out().read_line();
            orphans.push_back(std::stoi(text.value()));
            auto status = co_await child.exit();
            CHECK(status.success());
        }
        auto all = [&]
        {
            return std::none_of(orphans.begin(), orphans.end(),
                                [](pid_t pid) { return find_process(pid).has_value(); });
        };
        auto collected = co_await eventually(10s, all);
        CHECK(collected);

        int status = 0;
        CHECK(::waitpid(foreign, &status, 0) == foreign);
        CHECK(WEXITSTATUS(status) == 33);
    };
    brood::run_options options;
    options.orphans = brood::orphans::collect;

    CHECK(brood::run(main, options) == 0);
    for (auto& left : children()) // the sleep
    {
        ::kill(left.pid, SIGKILL);
        ::waitpid(left.pid, nullptr, 0);
    }
    int is_subreaper = 1;
    ::prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper);
    CHECK(is_subreaper == 0);
}

TEST_CASE("a child that nobody waits for after some time is taken for an orphan", "[run]")
{
    auto time = std::exchange(brood::detail::orphans_are_doubtful_for, 50ms);
    for (bool leave : {true, false})
    {
        pid_t foreign = 0;
        auto main = [&]() -> task<>
        {
            foreign = ::fork();
            if (foreign == 0)
                ::_exit(33);
            auto limit = leave ? std::chrono::milliseconds(600) : 10s;
            auto collected = co_await eventually(limit, [&] { return !find_process(foreign); });
            CHECK(collected != leave);
        };
        brood::run_options options;
        options.orphans = leave ? brood::orphans::leave : brood::orphans::collect;
        CHECK(brood::run(main, options) == 0);
        if (leave)
            ::waitpid(foreign, nullptr, 0);
    }
    brood::detail::orphans_are_doubtful_for = time;
}

TEST_CASE("nothing runs after the functions of on_exit, however long children take to stop",
          "[run]")
{
    std::string order;
    auto main = [&](process& self) -> task<>
    {
        auto executor = co_await asio::this_coro::executor;
        auto work = [](std::string& into) -> task<>
        {
            for (;;)
            {
                into += into.ends_with('.') ? "" : ".";
                co_await brood::sleep(1ms);
            }
        }(order);
        asio::co_spawn(executor, std::move(work), asio::detached);
        self.on_exit(
            [&, executor](int)
            {
                order += "on_exit";
                asio::post(executor, [&] { order += "posted"; });
            });
        brood::spawn_options options;
        options.stop = brood::stop_policy(50ms, SIGCONT);
        auto child = brood::spawn("sleep", {"3600"}, options);
    };

    CHECK(brood::run(main) == 0);
    CHECK(order == ".on_exit");
}
