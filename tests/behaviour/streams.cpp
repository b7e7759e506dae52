// SPDX-License-Identifier: BSL-1.0
// What goes through the standard streams of a child: all of it, in order, until the end.
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/disturbance.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <fcntl.h>

#include <string>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::child_process;
using brood::spawn;
using brood::spawn_options;
using brood::stdio;
using brood::task;

namespace
{

spawn_options piped()
{
    spawn_options options;
    options.stdin_ = options.stdout_ = stdio::pipe();
    return options;
}

/// "1\n2\n…", as seq(1) prints it.
std::string numbers(int last)
{
    std::string text;
    for (int number = 1; number <= last; ++number)
        text += std::to_string(number) + '\n';
    return text;
}

/// Waits, without a turn of the loop, until a child has ended.
bool has_ended(pid_t child)
{
    return wait_until(5s, [child] { return !alive(child); });
}

/// Hands its own stdin and stdout to a child, and lives as long as that.
task<int> middle(brood::process&)
{
    auto inner = spawn("cat");
    auto status = co_await inner.exit();
    co_return status.success() ? 4 : 1;
}

task<> keep_open(brood::process& self)
{
    co_await self.shutdown();
}

} // namespace

TEST_CASE("all that a child prints to both streams is received, and it ends with 0", "[node-5]")
{
    raced(
        [](disturbance how) -> task<>
        {
            spawn_options options;
            options.stderr_ = stdio::pipe();
            auto child = printing("seq 1 9 >&2; seq 1 20000; seq 1 10000 >&2", options);
            disturb(how, child.pid());
            auto printed = co_await child.out().read_all();
            auto errors = co_await child.err().read_all();
            auto status = co_await child.exit();

            CHECK((printed == numbers(20000)));
            CHECK((errors == numbers(9) + numbers(10000)));
            CHECK(status.success());
        });
}

TEST_CASE("a conversation goes line by line", "[node-61]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = shell("while read line; do echo \"<$line>\"; done; echo over", piped());
            for (int turn = 0; turn < 20; ++turn)
            {
                auto said = "line " + std::to_string(turn);
                co_await child.in().write(said + "\n");
                if (turn == 10)
                    disturb(how, child.pid());
                auto answered = co_await child.out().read_line();
                CHECK(answered == "<" + said + ">");
            }
            child.in().close();
            auto last = co_await child.out().read_line();
            auto end = co_await child.out().read_line();
            auto status = co_await child.exit();

            CHECK(last == "over");
            CHECK_FALSE(end);
            CHECK(status.success());
        });
}

TEST_CASE("three chunks are read as one text, and after them the end", "[node-98]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = spawn("cat", {}, piped());
            co_await child.in().write("one, ");
            disturb(how, child.pid());
            co_await child.in().write("two, ");
            co_await child.in().write("three");
            child.in().close();
            auto status = co_await child.closed();
            auto text = co_await child.out().read_all();
            auto more = co_await child.out().read_some();

            CHECK(text == "one, two, three");
            CHECK(more.empty());
            CHECK(status.success());
        });
}

TEST_CASE("a grandchild talks through streams that it inherited, and its parent waits for it",
          "[node-100]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            auto child = brood::fork_with<middle>(executor, piped());
            co_await child.in().write("down and up\n");
            auto line = co_await child.out().read_line();
            disturb(how, child.pid());
            CHECK(line == "down and up");
            CHECK_FALSE(child.status());

            co_await child.in().write("once more");
            child.in().close();
            auto rest = co_await child.out().read_all();
            auto status = co_await child.exit();
            CHECK(rest == "once more");
            CHECK(status.code == 4);
        });
}

TEST_CASE("the first and the last of a hundred lines arrive from a child that ends", "[node-105]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = printing("seq 1 100; exit 7");
            disturb(how, child.pid());
            auto status = co_await child.exit(); // nobody has read a line yet
            auto text = co_await child.out().read_all();

            CHECK(status.code == 7);
            CHECK(text == numbers(100));
        });
}

TEST_WITHIN(10s, "the output is complete once the child is closed, however late it is read",
            "[node-104]")
{
    auto child = printing("(seq 1 50; sleep 0.02; seq 1 50) & seq 1 50 >/dev/null");
    auto exited = co_await child.exit();
    auto closed = co_await child.closed(); // also the grandchild has ended
    auto text = co_await child.out().read_all();

    CHECK(exited == closed);
    CHECK(text == numbers(50) + numbers(50));
}

TEST_WITHIN(20s, "options are not changed by a start, so that the next one gets the same",
            "[node-104]")
{
    temporary_directory folder;
    auto executor = co_await asio::this_coro::executor;
    spawn_options options;
    options.stdout_ = stdio::pipe();
    options.stderr_ = stdio::ignore();
    options.descriptors.emplace(7, stdio::append(folder / "log"));
    brood::descriptor file(::open((folder / "log").c_str(), O_CREAT | O_RDWR, 0600));
    options.descriptors.emplace(9, std::move(file));
    for (int round = 0; round < 2; ++round)
    {
        auto forked = brood::fork_with<keep_open>(executor, options);
        forked.disconnect();
        auto ended = co_await forked.exit();
        CHECK(ended.success());
        auto child = shell("echo x; echo lost >&2; echo y >&7; echo z >&9", options);
        auto text = co_await child.out().read_all();
        co_await child.exit();
        CHECK(text == "x\n");
    }
    CHECK_FALSE(options.env);
    CHECK(options.descriptors.size() == 2);
    CHECK_FALSE(read_file(folder / "log").empty());
}

TEST_WITHIN(20s, "a channel keeps its place whatever descriptors are asked for", "[node-104]")
{
    auto executor = co_await asio::this_coro::executor;
    spawn_options options;
    for (int number : {3, 4, 6})
        options.descriptors.emplace(number, stdio::pipe());
    // A second channel cannot be asked for: the child is told of ours alone.
    options.env = brood::environment().set(brood::detail::channel_variable, "4");
    auto child = brood::fork_with<[](brood::process& self) -> task<>
                                  {
                                      self.send(1);
                                      co_return;
                                  }>(executor, options);
    auto message = co_await child.message<int>();
    auto status = co_await child.closed();

    CHECK(message == 1);
    CHECK(status.success());
}

TEST_WITHIN(10s, "a child opens its standard streams by name", "[node-B17][defect-14]")
{
    auto options = piped();
    options.stderr_ = stdio::pipe();
    options.descriptors.emplace(5, stdio::pipe());
    auto child = shell("cat </dev/stdin >/dev/stdout; echo wrong >/dev/stderr; "
                       "echo more >>/proc/self/fd/1; echo five >/dev/fd/5",
                       options);
    co_await child.in().write("through\n");
    child.in().close();
    auto text = co_await child.out().read_all();
    auto errors = co_await child.err().read_all();
    auto five = co_await child.out(5).read_all();
    auto status = co_await child.exit();

    CHECK(text == "through\nmore\n");
    CHECK(errors == "wrong\n");
    CHECK(five == "five\n");
    CHECK(status.success());
}

TEST_CASE("a write to a child that has ended is an error for the writer alone", "[node-98]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = spawn("true", {}, piped());
            disturb(how, child.pid());
            CHECK((how == disturbance::stopped_child || has_ended(child.pid())));
            std::error_code failed;
            try
            {
                std::string text(1 << 20, 'x'); // more than a pipe holds
                co_await child.in().write(text);
            }
            catch (const std::system_error& wrong)
            {
                failed = wrong.code();
            }
            auto status = co_await child.exit();

            CHECK(failed == std::errc::broken_pipe);
            CHECK(status.success());
        });
}
