// SPDX-License-Identifier: BSL-1.0
// Lists of functions and of coroutines that wait: one that adds to its list while it runs, or that
// throws, takes nothing from the others.
#include <brood/process/process.hpp>

#include <brood/http/detail/server_core.hpp>
#include <brood/process/fork.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

// Written at once: nobody flushes after the functions of on_exit.
void say(const std::string& word)
{
    auto line = word + "\n";
    auto count = ::write(STDOUT_FILENO, line.data(), line.size());
    static_cast<void>(count);
}

/// Three of each, of which the first adds a fourth and the second throws.
task<> adds_and_throws(process& self, std::string list, bool by_exit)
{
    auto what = [list](int number, auto add)
    {
        say(list + " " + std::to_string(number));
        if (number == 1)
            add();
        if (number == 2)
            throw std::runtime_error("on purpose");
    };
    for (int number = 1; number <= 3; ++number)
        if (list == "on_exit")
            self.on_exit(
                [&self, what, number](int)
                {
                    auto add = [&self]
                    {
                        self.on_exit([](int) { say("added"); });
                    };
                    what(number, add);
                });
        else
            self.before_exit(
                [&self, what, number]() -> task<>
                {
                    auto add = [&self]
                    {
                        self.before_exit(
                            []() -> task<>
                            {
                                say("added");
                                co_return;
                            });
                    };
                    what(number, add);
                    co_return;
                });
    self.on_exit([](int) { say("last"); });
    if (by_exit)
        co_await self.exit(0);
}

/// A function that shows an uncaught exception takes another in its place, and throws.
task<> shows_and_throws(process& self)
{
    self.on_uncaught(
        [&self](std::exception_ptr)
        {
            std::string held(100, 's'); // freed with the closure, were it replaced while it runs
            self.on_uncaught([](std::exception_ptr) {});
            say("shown " + std::to_string(held.size()));
            throw std::runtime_error("while it was shown");
        });
    self.on_exit([](int) { say("last"); });
    throw std::runtime_error("on purpose");
    co_return;
}

brood::spawn_options with_output()
{
    brood::spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    options.stderr_ = brood::stdio::pipe();
    return options;
}

} // namespace

TEST_WITHIN(20s, "functions of on_exit run although one adds another and one throws", "[callables]")
{
    for (bool by_exit : {false, true})
    {
        INFO("by exit(): " << by_exit);
        auto options = with_output();
        auto child = brood::fork_with<adds_and_throws>(brood::default_executor(), options,
                                                       std::string("on_exit"), by_exit);
        auto text = co_await child.out().read_all();
        auto errors = co_await child.err().read_all();
        auto status = co_await child.exit();

        CHECK(text == "on_exit 1\non_exit 2\non_exit 3\nlast\nadded\n");
        CHECK_THAT(errors, ContainsSubstring("on purpose"));
        CHECK(status.signal == 0);
    }
}

TEST_WITHIN(20s, "a coroutine of before_exit may add another, and one that throws ends the rest",
            "[callables]")
{
    auto options = with_output();
    auto child = brood::fork_with<adds_and_throws>(brood::default_executor(), options,
                                                   std::string("before_exit"), false);
    auto text = co_await child.out().read_all();
    auto errors = co_await child.err().read_all();
    auto status = co_await child.exit();

    CHECK(text == "before_exit 1\nbefore_exit 2\nlast\n");
    CHECK_THAT(errors, ContainsSubstring("on purpose"));
    CHECK(status.code == 1);
}

TEST_WITHIN(20s, "a function that shows an uncaught exception may take another in its place",
            "[callables]")
{
    auto options = with_output();
    auto child = brood::fork_with<shows_and_throws>(brood::default_executor(), options);
    auto text = co_await child.out().read_all();
    auto errors = co_await child.err().read_all();
    auto status = co_await child.exit();

    CHECK(text == "shown 100\nlast\n");
    CHECK_THAT(errors, ContainsSubstring("on purpose"));
    CHECK(status.code == 1);
}

TEST_WITHIN(20s, "all who wait for an end get it although one waits again and one throws",
            "[callables]")
{
    auto executor = co_await asio::this_coro::executor;
    auto child = brood::test::shell("exec sleep 1000");
    std::vector<int> got;
    auto waits = [](brood::child_process& whom, std::vector<int>& into, int number) -> task<>
    {
        co_await whom.exit();
        into.push_back(number);
        if (number == 1)
        {
            co_await whom.exit();
            into.push_back(10);
        }
        if (number == 2)
            throw std::runtime_error("on purpose");
    };
    std::size_t thrown = 0;
    for (int number = 1; number <= 3; ++number)
        asio::co_spawn(executor, waits(child, got, number),
                       [&thrown](std::exception_ptr failed) { thrown += failed ? 1U : 0U; });
    co_await brood::sleep(1ms);
    CHECK(got.empty());

    child.kill();
    auto all = co_await brood::test::eventually(5s, [&] { return got.size() == 4; });

    CHECK(all);
    CHECK(got == std::vector<int>{1, 10, 2, 3});
    CHECK(thrown == 1);
}

TEST_WITHIN(10s, "all that close with a server do although one adds another and one throws",
            "[callables]")
{
    auto executor = co_await asio::this_coro::executor;
    auto answer = [](brood::http::request&, brood::http::response&) -> task<>
    {
        co_return;
    };
    auto server = std::make_shared<brood::http::detail::server_core>(executor, answer,
                                                                     brood::http::server_options());
    int closed = 0;
    std::shared_ptr<void> added;
    auto count = [&]
    {
        ++closed;
    };
    auto first = server->closes_too([&] { added = server->closes_too(count); });
    auto second = server->closes_too([] { throw std::runtime_error("on purpose"); });
    auto third = server->closes_too(count);

    CHECK_THROWS_WITH(server->close(), "on purpose");
    CHECK(closed == 2);
    server->close();
    CHECK(closed == 2);
}
