// SPDX-License-Identifier: BSL-1.0
#include <brood/process/pipe.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/quiet_write.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/detail/unblocked_io.hpp>
#include <brood/process/internal/pipe_ends.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <csignal>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <variant>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::spawn_options;
using brood::stdio;
using brood::task;

namespace
{

/// A program that writes back what it reads.
brood::child_process echo()
{
    spawn_options options;
    options.stdin_ = stdio::pipe();
    options.stdout_ = stdio::pipe();
    return brood::spawn("cat", {}, options);
}

} // namespace

TEST_WITHIN(10s, "lines are read without their ends, the last one may lack it", "[pipe]")
{
    auto child = printing("printf 'one\\n\\nthree'");
    std::vector<std::optional<std::string>> lines;
    for (int count = 0; count < 5; ++count)
    {
        auto line = co_await child.out().read_line();
        lines.push_back(line);
    }
    co_await child.exit();

    CHECK(lines ==
          std::vector<std::optional<std::string>>{"one", "", "three", std::nullopt, std::nullopt});
}

TEST_WITHIN(10s, "what one way of reading leaves, the others find", "[pipe]")
{
    auto child = printing("printf 'line\\nrest of it'");
    auto line = co_await child.out().read_line();
    auto rest = co_await child.out().read_all();
    auto none = co_await child.out().read_some();
    co_await child.exit();

    CHECK(line == "line");
    CHECK(rest == "rest of it");
    CHECK(none.empty());
}

TEST_WITHIN(10s, "a line that is too long is an error and can be read all the same", "[pipe]")
{
    auto child = printing("echo 1234567890; echo 2");
    bool refused = false;
    try
    {
        co_await child.out().read_line(9);
    }
    catch (const brood::error& too_long)
    {
        refused = too_long.code() == brood::errc::too_large;
    }
    CHECK(refused);
    auto line = co_await child.out().read_line(10);
    auto next = co_await child.out().read_line(10);
    CHECK(line == "1234567890");
    CHECK(next == "2");
    co_await child.exit();
}

TEST_WITHIN(10s, "more than is wanted is an error, and stays", "[pipe]")
{
    auto child = printing("printf 12345");
    bool refused = false;
    try
    {
        co_await child.out().read_all(4);
    }
    catch (const brood::error& too_much)
    {
        refused = too_much.code() == brood::errc::too_large;
    }
    auto text = co_await child.out().read_all(5);
    co_await child.exit();

    CHECK(refused);
    CHECK(text == "12345");
}

TEST_WITHIN(30s, "ten megabytes go both ways at once", "[pipe]")
{
    auto child = echo();
    auto executor = co_await asio::this_coro::executor;
    std::string sent(10 << 20, 'x');
    sent.front() = 'a';
    sent.back() = 'z';
    auto in = child.in();
    auto writing = [](brood::pipe_writer to, std::string text) -> task<>
    {
        co_await to.write(std::move(text));
        to.close();
    }(in, sent);
    asio::co_spawn(executor, std::move(writing), asio::detached);
    auto received = co_await child.out().read_all();
    co_await child.exit();

    CHECK((received == sent));
}

TEST_CASE("a write to a reader that has gone is an error, and no signal", "[pipe]")
{
    for (bool by_kernel : {true, false})
    {
        auto before = brood::detail::kernel_writes_quietly.exchange(by_kernel);
        within(10s,
               []() -> task<>
               {
                   spawn_options options;
                   options.stdin_ = stdio::pipe();
                   auto child = shell("exit 0", options);
                   co_await child.exit();
                   std::error_code failed;
                   try
                   {
                       co_await child.in().write("nobody reads this");
                   }
                   catch (const std::system_error& error)
                   {
                       failed = error.code();
                   }
                   CHECK(failed == std::errc::broken_pipe);
                   sigset_t pending;
                   ::sigpending(&pending);
                   CHECK(::sigismember(&pending, SIGPIPE) == 0);
               });
        brood::detail::kernel_writes_quietly = before;
    }
}

TEST_WITHIN(20s, "a read that is cancelled loses nothing", "[pipe]")
{
    for (int round = 0; round < 50; ++round)
    {
        auto child = echo();
        auto executor = co_await asio::this_coro::executor;
        asio::cancellation_signal stop;
        std::string read;
        bool done = false;
        auto reading = child.out().read_line();
        asio::co_spawn(
            executor, std::move(reading),
            asio::bind_cancellation_slot(stop.slot(),
                                         [&](std::exception_ptr, std::optional<std::string> line)
                                         {
                                             done = true;
                                             read = line.value_or("");
                                         }));
        co_await child.in().write("whole\n");
        for (int turn = 0; turn < round % 5; ++turn)
            co_await brood::sleep(100us);
        stop.emit(asio::cancellation_type::terminal);
        while (!done)
            co_await asio::post(executor, asio::use_awaitable);
        if (read.empty())
        {
            auto line = co_await child.out().read_line();
            read = line.value_or("");
        }
        CHECK(read == "whole");
        child.in().close();
        co_await child.exit();
    }
}

TEST_WITHIN(10s, "a read that loses under || while it lets others go on takes nothing", "[pipe]")
{
    using namespace asio::experimental::awaitable_operators;
    auto executor = co_await asio::this_coro::executor;
    brood::detail::pipe_ends ends;
    REQUIRE(ends.open());
    brood::pipe_reader reader(executor, std::move(ends.reading));
    for (int round = 0; round < 15; ++round)
    {
        REQUIRE(::write(ends.writing.get(), "before\n", 7) == 7);
        co_await reader.read_line();
    }
    REQUIRE(::write(ends.writing.get(), "whole\n", 6) == 6);
    auto race = asio::post(executor, asio::use_awaitable) || reader.read_line();
    auto winner = co_await std::move(race);
    CHECK(winner.index() == 0);

    auto line = co_await reader.read_line(); // or it is lost, and this waits for ever
    CHECK(line == std::optional<std::string>("whole"));
}

TEST_WITHIN(20s, "a program that writes without end leaves the loop to others", "[pipe]")
{
    spawn_options options;
    options.stdout_ = stdio::pipe();
    options.on_drop = brood::on_drop::kill;
    auto child = brood::spawn("yes", {}, options);
    auto executor = co_await asio::this_coro::executor;
    bool others = false;
    asio::steady_timer timer(executor, 20ms);
    timer.async_wait([&](std::error_code) { others = true; });
    while (!others)
        co_await child.out().read_some();
    CHECK(others);
}

TEST_CASE("a pipe that a child made blocking blocks no loop, neither to read nor to write",
          "[pipe]")
{
    for (bool by_kernel : {true, false})
    {
        auto before = brood::detail::kernel_need_not_wait.exchange(by_kernel);
        within(20s,
               []() -> task<>
               {
                   auto executor = co_await asio::this_coro::executor;
                   brood::detail::pipe_ends ends;
                   REQUIRE(ends.open());
                   spawn_options options;
                   options.stdin_ = stdio::from(ends.reading.duplicate());
                   options.stdout_ = stdio::from(ends.writing.duplicate());
                   brood::pipe_reader in(executor, std::move(ends.reading));
                   brood::pipe_writer out(executor, std::move(ends.writing));
                   auto child = brood::spawn("true", {}, options); // which expects them to block
                   co_await child.exit();
                   options = {};

                   std::string read;
                   auto reading = in.read_line();
                   asio::co_spawn(executor, std::move(reading),
                                  [&](std::exception_ptr, std::optional<std::string> line)
                                  { read = line.value_or(""); });
                   co_await brood::sleep(20ms);
                   CHECK(read.empty());
                   co_await out.write("one\n");
                   auto came = co_await eventually(5s, [&] { return read == "one"; });
                   CHECK(came);

                   std::string much(1 << 20, 'x');
                   auto writing = [](brood::pipe_writer to, std::string text) -> task<>
                   {
                       co_await to.write(std::move(text));
                       to.close();
                   }(out, much);
                   asio::co_spawn(executor, std::move(writing), asio::detached);
                   co_await brood::sleep(20ms);
                   auto all = co_await in.read_all();
                   CHECK((all == much));
               });
        brood::detail::kernel_need_not_wait = before;
    }
}

TEST_WITHIN(10s, "what is here is read without waiting, also at the end", "[pipe]")
{
    auto child = printing("echo one; exec sleep 1000");
    std::string text;
    auto more = [&]
    {
        text += child.out().read_now();
        return text == "one\n";
    };
    auto first = co_await eventually(5s, more);
    CHECK(first);
    CHECK(child.out().read_now() == "");
    child.kill(SIGKILL);
    co_await child.closed();
    CHECK(child.out().read_now() == "");
}

TEST_WITHIN(10s, "whoever waits on a pipe that is closed here is told", "[pipe]")
{
    auto child = echo();
    auto executor = co_await asio::this_coro::executor;
    bool told = false;
    auto reading = child.out().read_some();
    asio::co_spawn(executor, std::move(reading),
                   [&](std::exception_ptr thrown, const std::string&)
                   { told = thrown != nullptr; });
    co_await asio::post(executor, asio::use_awaitable);
    child.out().close();
    child.in().close();
    co_await child.exit();
    auto came = co_await eventually(5s, [&] { return told; });

    CHECK(came);
    CHECK_FALSE(child.out().is_open());
}
