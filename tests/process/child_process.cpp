// SPDX-License-Identifier: BSL-1.0
#include <brood/process/child_process.hpp>

#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>

#include "support/back_ends.hpp"
#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/post.hpp>

#include <sys/wait.h>

#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::child_process;
using brood::spawn;
using brood::spawn_options;
using brood::task;
using brood::detail::launcher;
using brood::detail::watching;
using Catch::Matchers::ContainsSubstring;

namespace
{

child_process sleeper(brood::on_drop on_drop = brood::on_drop::kill)
{
    spawn_options options;
    options.on_drop = on_drop;
    return spawn("sleep", {"1000"}, options);
}

/// Waits in the background, and tells what came.
struct waiting
{
    asio::cancellation_signal stop;
    std::optional<brood::exit_status> status;
    bool cancelled = false;

    template <class Executor>
    void begin(const Executor& executor, task<brood::exit_status> wait)
    {
        asio::co_spawn(executor, std::move(wait),
                       asio::bind_cancellation_slot(
                           stop.slot(),
                           [this](std::exception_ptr thrown, const brood::exit_status& ended)
                           {
                               cancelled = thrown != nullptr;
                               if (!thrown)
                                   status = ended;
                           }));
    }
};

} // namespace

TEST_WITHIN(10s, "any number may wait for an end, before it and after it",
            "[child_process][node-B30]")
{
    auto executor = co_await asio::this_coro::executor;
    auto child = printing("read x; exit 3");
    waiting one, other;
    one.begin(executor, child.exit());
    other.begin(executor, child.exit());
    auto third = co_await child.exit();
    auto fourth = co_await child.exit();
    auto both = co_await eventually(5s, [&] { return one.status && other.status; });

    CHECK(both);
    CHECK(third.code == fourth.code);
    CHECK(one.status == third);
    CHECK(other.status == third);
    CHECK(child.status() == third);
}

TEST_WITHIN(20s, "a wait for an end that is cancelled loses no status", "[child_process][node-B29]")
{
    for (int round = 0; round < 50; ++round)
    {
        auto executor = co_await asio::this_coro::executor;
        auto child = shell(round % 2 == 0 ? "exit 5" : "sleep 0.002; exit 5");
        waiting one;
        one.begin(executor, child.exit());
        for (int turn = 0; turn < round % 4; ++turn)
            co_await brood::sleep(1ms);
        one.stop.emit(asio::cancellation_type::terminal);
        auto status = co_await child.exit();
        auto over = co_await eventually(5s, [&] { return one.cancelled || one.status; });

        CHECK(over);
        CHECK(status.code == 5);
    }
}

TEST_WITHIN(20s,
            "a grandchild that holds a pipe keeps it from closing, and not the child from ending",
            "[child_process]")
{
    auto child = printing("sleep 1000 & echo $!");
    auto line = co_await child.out().read_line();
    auto executor = co_await asio::this_coro::executor;
    waiting closed;
    closed.begin(executor, child.closed());
    auto status = co_await child.exit();
    CHECK(status.code == 0);
    co_await brood::sleep(20ms);
    CHECK_FALSE(closed.status);

    ::kill(std::stoi(line.value_or("0")), SIGKILL);
    auto ended = co_await eventually(5s, [&] { return closed.status.has_value(); });
    CHECK(ended);
}

TEST_WITHIN(10s, "a signal goes to a child that runs, and never to one that has ended",
            "[child_process][node-213]")
{
    auto child = sleeper();
    CHECK(child.kill(0));
    CHECK(child.kill_requested() == 0);
    CHECK(child.kill(SIGTERM));
    CHECK(child.kill_requested() == SIGTERM);
    child.kill(0); // it only looks
    CHECK(child.kill_requested() == SIGTERM);
    auto status = co_await child.exit();
    CHECK(status.signal == SIGTERM);
    CHECK_FALSE(child.kill(0));
    CHECK_FALSE(child.kill(SIGKILL));
    CHECK(child.kill_requested() == SIGTERM);
}

TEST_WITHIN(10s, "a signal that does not exist is refused", "[child_process][node-214]")
{
    auto child = sleeper();
    CHECK_THROWS_AS(child.kill(12345), std::system_error);
    CHECK_THROWS_AS(child.kill(-1), std::system_error);
    co_return;
}

TEST_WITHIN(60s, "a tree is ended although its members start others all the time",
            "[child_process]")
{
    for (int round = 0; round < 10; ++round)
    {
        auto child = printing("(while :; do sleep 100 & sleep 0.001; done) & "
                              "(sleep 100 & sleep 100) & echo started; wait");
        co_await child.out().read_line();
        co_await brood::sleep(std::chrono::milliseconds(round));
        CHECK(child.kill_tree(SIGKILL));
        auto closed = co_await child.closed(); // nobody holds the pipe any more
        CHECK(closed.signal == SIGKILL);
    }
}

TEST_WITHIN(20s, "what a dropped handle means is its policy", "[child_process][node-9]")
{
    pid_t stopped = 0, killed = 0, detached = 0;
    {
        auto one = sleeper(brood::on_drop::stop);
        auto two = sleeper(brood::on_drop::kill);
        auto three = sleeper(brood::on_drop::detach);
        stopped = one.pid();
        killed = two.pid();
        detached = three.pid();
    }
    auto ended = co_await eventually(5s, [&] { return gone(stopped) && gone(killed); });
    CHECK(ended);
    CHECK_FALSE(gone(detached));
    ::kill(detached, SIGKILL);
    auto collected = co_await eventually(5s, [&] { return !find_process(detached); });
    CHECK(collected);
}

TEST_CASE("a detached child leaves no zombie, although its loop has gone and no other is started",
          "[child_process]")
{
    for (auto watch : {watching::pidfd, watching::sigchld})
    {
        forced_back_ends forced({launcher::automatic, watch});
        leftovers before;
        spawn_options options;
        options.on_drop = brood::on_drop::detach;
        std::vector<pid_t> detached;
        child_process late;
        {
            asio::io_context loop(1);
            auto early = spawn(loop.get_executor(), "sleep", {"1000"}, options);
            late = spawn(loop.get_executor(), "sleep", {"1000"}, options);
            detached = {early.pid(), late.pid()};
            loop.poll();
        }
        for (auto pid : detached)
        {
            CHECK_FALSE(gone(pid));
            ::kill(pid, SIGKILL);
            CHECK(wait_until(5s, [&] { return !find_process(pid); }));
        }
        late = child_process();
        CHECK(before.sentences() == std::vector<std::string>{});
    }
}

TEST_WITHIN(20s, "a handle that is moved or assigned to does what is expected", "[child_process]")
{
    auto one = sleeper();
    auto pid = one.pid();
    auto other = std::move(one);
    CHECK_FALSE(one);
    CHECK(other.pid() == pid);
    CHECK_THROWS_AS(one.pid(), std::logic_error);

    other = sleeper();
    auto ended = co_await eventually(5s, [&] { return gone(pid); });
    CHECK(ended);
    CHECK(other.pid() != pid);
}

TEST_WITHIN(20s, "whoever waits gets the end although the handle has gone", "[child_process]")
{
    auto executor = co_await asio::this_coro::executor;
    waiting one;
    {
        auto child = sleeper(brood::on_drop::stop);
        one.begin(executor, child.exit());
        co_await asio::post(executor, asio::use_awaitable);
    }
    auto ended = co_await eventually(5s, [&] { return one.status.has_value(); });
    REQUIRE(ended);
    CHECK(one.status->signal == SIGTERM);
}

TEST_CASE("a child that was to be detached lets its loop go once the last wait was cancelled",
          "[child_process]")
{
    asio::io_context loop(1);
    spawn_options options;
    options.on_drop = brood::on_drop::detach;
    auto child = spawn(loop.get_executor(), "sleep", {"1000"}, options);
    auto pid = child.pid();
    waiting one;
    one.begin(loop.get_executor(), child.exit());
    loop.poll();
    child = child_process();
    loop.poll();
    CHECK_FALSE(loop.stopped()); // somebody waits for it

    one.stop.emit(asio::cancellation_type::terminal);
    loop.run_for(5s);
    CHECK(loop.stopped());
    CHECK(one.cancelled);
    CHECK_FALSE(gone(pid));
    ::kill(pid, SIGKILL);
    CHECK(wait_until(5s, [&] { return !find_process(pid); }));
}

TEST_CASE("a child that nobody wants lets its loop go, whoever holds its pipes", "[child_process]")
{
    asio::io_context loop(1);
    pid_t holder = 0;
    auto drop = [&]() -> task<>
    {
        spawn_options options;
        options.on_drop = brood::on_drop::kill;
        auto child = printing("sleep 1000 & echo $!; wait", options);
        auto line = co_await child.out().read_line();
        holder = std::stoi(line.value_or("0"));
    };
    {
        brood::default_executor_scope scope(loop.get_executor());
        asio::co_spawn(loop, drop(), asio::detached);
        loop.run_for(5s);
    }
    CHECK(loop.stopped());
    REQUIRE(holder > 0);
    CHECK_FALSE(gone(holder));
    ::kill(holder, SIGKILL);
}
TEST_CASE("a handle of no process says so", "[child_process]")
{
    child_process none;
    CHECK_FALSE(none);
    CHECK_THROWS_WITH(none.pid(), ContainsSubstring("handle of no process"));
    CHECK_THROWS_AS(none.kill(), std::logic_error);
}

TEST_WITHIN(10s, "a stream that is no pipe is refused with the number", "[child_process]")
{
    auto child = sleeper();
    CHECK_THROWS_WITH(child.out(), ContainsSubstring("descriptor 1 is no pipe"));
    CHECK_THROWS_WITH(child.in(7), ContainsSubstring("descriptor 7"));
    co_return;
}

TEST_WITHIN(20s, "a child ends with the body that it was started for, however that ends",
            "[child_process]")
{
    auto returns = [](child_process&) -> task<>
    {
        co_return;
    };
    auto first = co_await brood::with(sleeper(), returns);
    CHECK(first.signal == SIGTERM);

    auto throws = [](child_process&) -> task<>
    {
        throw std::runtime_error("the body");
        co_return;
    };
    std::string text;
    try
    {
        co_await brood::with(sleeper(), throws);
    }
    catch (const std::runtime_error& error)
    {
        text = error.what();
    }
    CHECK(text == "the body");

    auto executor = co_await asio::this_coro::executor;
    auto waits = [](child_process& child) -> task<>
    {
        co_await child.exit();
    };
    waiting cancelled;
    cancelled.begin(executor, brood::with(sleeper(), waits));
    co_await brood::sleep(5ms);
    cancelled.stop.emit(asio::cancellation_type::terminal);
    auto over = co_await eventually(5s, [&] { return cancelled.cancelled || cancelled.status; });
    CHECK(over);
}

TEST_CASE("a child whose end somebody else collects is told as far as the kernel can",
          "[child_process]")
{
    for (auto way : {watching::pidfd, watching::sigchld})
    {
        forced_back_ends forced({launcher::automatic, way});
        within(20s,
               []() -> task<>
               {
                   auto child = shell("exit 9");
                   ::waitpid(child.pid(), nullptr, 0);
                   auto status = co_await child.exit();

                   CHECK((status.lost || status.code == 9));
                   CHECK(status.pid == child.pid());
               });
    }
}

TEST_WITHIN(20s, "children that brood did not start are left alone", "[child_process]")
{
    auto other = ::fork();
    if (other == 0)
        ::_exit(33);
    for (int round = 0; round < 20; ++round)
    {
        auto child = shell("exit 0");
        co_await child.exit();
    }
    int status = 0;
    REQUIRE(::waitpid(other, &status, 0) == other);
    CHECK(WEXITSTATUS(status) == 33);
}

TEST_CASE("every way to start and to watch a child works and names what fails", "[child_process]")
{
    for (auto start : {launcher::clone, launcher::posix_spawn, launcher::fork})
        for (auto watch : {watching::pidfd, watching::sigchld})
            for (auto close_range : {true, false})
            {
                INFO("launcher " << static_cast<int>(start) << ", watching "
                                 << static_cast<int>(watch) << ", close_range " << close_range);
                forced_back_ends forced({start, watch, close_range});
                within(20s,
                       []() -> task<>
                       {
                           auto text = co_await printed("echo 1; exit 0");
                           CHECK(text == "1\n");
                           std::vector<child_process> many;
                           for (int count = 0; count < 20; ++count)
                               many.push_back(shell("exit " + std::to_string(count)));
                           for (int count = 0; count < 20; ++count)
                           {
                               auto status = co_await many[std::size_t(count)].exit();
                               CHECK(status.code == count);
                           }
                           spawn_options nowhere;
                           nowhere.cwd = "/nowhere";
                           CHECK_THROWS_WITH(spawn("true", {}, nowhere),
                                             ContainsSubstring("cwd '/nowhere'"));
                           CHECK_THROWS_WITH(spawn("/no/such/program"),
                                             ContainsSubstring("exec: No such file"));
                       });
            }
}

TEST_CASE("being abandoned at any step leaves no child", "[child_process]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            auto child = printing("echo x");
            auto line = co_await child.out().read_line();
            auto status = co_await child.closed();
            CHECK(status.code == 0);
        });
}
