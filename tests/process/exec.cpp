// SPDX-License-Identifier: BSL-1.0
#include <brood/process/exec.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <sys/resource.h>

#include <csignal>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::exec;
using brood::exec_file;
using brood::exec_file_sync;
using brood::exec_limit;
using brood::exec_options;
using brood::exec_result;
using brood::exec_sync;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// Options whose end is not waited for for long.
exec_options impatient()
{
    return exec_options().stop(brood::stop_policy(100ms));
}

/// The error of a program that could not be started.
std::optional<brood::spawn_error> refusal(const std::string& program, const exec_options& options)
{
    try
    {
        exec_file_sync(program, {}, options);
    }
    catch (const brood::spawn_error& refused)
    {
        return refused;
    }
    return std::nullopt;
}

/// The same as a sentence, empty when it was started.
std::string refused(const std::string& program, const exec_options& options = {})
{
    auto why = refusal(program, options);
    return why ? why->what() : "";
}

/// A command in the background, and what became of it.
struct running
{
    asio::cancellation_signal stop;
    bool done = false;
    std::error_code failed;

    template <class Executor>
    void begin(const Executor& executor, task<exec_result> command)
    {
        auto finish = [this](std::exception_ptr thrown, const exec_result&)
        {
            done = true;
            try
            {
                if (thrown)
                    std::rethrow_exception(thrown);
            }
            catch (const std::system_error& error)
            {
                failed = error.code();
            }
        };
        asio::co_spawn(executor, std::move(command),
                       asio::bind_cancellation_slot(stop.slot(), finish));
    }
};

} // namespace

TEST_WITHIN(10s, "a command gives both outputs and its code", "[exec][node-66]")
{
    auto result = co_await exec("echo out; echo err >&2; exit 7");

    CHECK(result.out == "out\n");
    CHECK(result.err == "err\n");
    CHECK(result.status.code == 7);
    CHECK(result.limit == exec_limit::none);
    CHECK_FALSE(result.success());
}

TEST_WITHIN(10s, "a command that does not exist is a result of the shell, a program an exception",
            "[exec][node-20]")
{
    auto result = co_await exec("no-such-command");
    CHECK(result.status.code == 127);
    CHECK(result.status.pid > 0);
    CHECK_THAT(to_string(result), ContainsSubstring("no-such-command"));

    std::string text;
    try
    {
        co_await exec_file("no-such-command");
    }
    catch (const brood::spawn_error& missing)
    {
        CHECK(missing.code() == std::errc::no_such_file_or_directory);
        text = missing.what();
    }
    CHECK_THAT(text, ContainsSubstring("no-such-command"));
}

TEST_WITHIN(10s, "output is bytes, whatever they are", "[exec][node-18]")
{
    auto result = co_await exec("printf '\\303\\244\\000\\377'");
    CHECK(result.out == std::string("\xc3\xa4\0\xff", 4));
}

TEST_WITHIN(30s, "a limit of output is exact, on each stream", "[exec][node-29]")
{
    for (std::string stream : {"", " >&2"})
    {
        auto options = impatient().max_output(10);
        auto fits = co_await exec("printf 1234567890" + stream, options);
        CHECK(fits.success());
        CHECK((fits.out + fits.err) == "1234567890");

        auto more = co_await exec("printf 12345678901" + stream, options);
        CHECK(more.limit == exec_limit::output);
        CHECK((more.out + more.err) == "1234567890");

        auto flood = co_await exec("yes" + stream, options);
        CHECK(flood.limit == exec_limit::output);
        CHECK((flood.out + flood.err) == "y\ny\ny\ny\ny\n");
    }
}

TEST_WITHIN(30s, "a limit of output cuts between bytes and counts each stream by itself",
            "[exec][node-29]")
{
    auto one = impatient().max_output(1);
    auto cut = co_await exec("printf '\\303\\244'", one);
    CHECK(cut.out == "\xc3");
    CHECK(cut.limit == exec_limit::output);

    auto four = impatient().max_output(4);
    auto both = co_await exec("printf 1234; printf abcd >&2", four);
    CHECK(both.success());
    CHECK(both.out + both.err == "1234abcd");

    auto none = impatient().max_output(0);
    auto silent = co_await exec("true", none);
    CHECK(silent.success());
    auto loud = co_await exec("echo", none);
    CHECK(loud.limit == exec_limit::output);
    CHECK(loud.out.empty());
}

TEST_WITHIN(60s, "the default limit of output is 16 MiB, and there need not be any",
            "[exec][node-29]")
{
    auto fits = co_await exec("head -c 16777216 /dev/zero");
    CHECK(fits.success());
    CHECK(fits.out.size() == 16777216);

    auto more = co_await exec("head -c 16777217 /dev/zero >&2");
    CHECK(more.limit == exec_limit::output);
    CHECK(more.err.size() == 16777216);

    auto unlimited = exec_options().max_output(exec_options::unlimited);
    auto all = co_await exec("head -c 16777217 /dev/zero", unlimited);
    CHECK(all.success());
    CHECK(all.out.size() == 16777217);
}

TEST_WITHIN(30s, "after its time a command and all that it started are ended", "[exec][node-25]")
{
    auto options = impatient().timeout(50ms);
    auto result = co_await exec("echo begun; sleep 1000 & sleep 1000 | sleep 1000; wait", options);
    CHECK(result.limit == exec_limit::timeout);
    CHECK(result.status.signal == SIGTERM);
    CHECK(result.out == "begun\n");
    CHECK(children().empty());

    auto deaf = co_await exec("trap '' TERM; (trap '' TERM; while :; do sleep 0.01; done) & "
                              "while :; do sleep 0.01; done",
                              options);
    CHECK(deaf.status.signal == SIGKILL);
}

TEST_WITHIN(10s, "a time that does not pass disturbs nothing, however long it is",
            "[exec][node-27]")
{
    auto options = exec_options().timeout(std::chrono::milliseconds::max());
    auto result = co_await exec("echo quick", options);
    CHECK(result.success());
}

TEST_WITHIN(30s, "input is read to its end, and need not be read at all", "[exec]")
{
    std::string ten(10 << 20, 'x');
    auto options = exec_options().input(ten);
    auto echoed = co_await exec_file("cat", {}, options);
    CHECK((echoed.out == ten));

    auto ignored = co_await exec("exit 4", options);
    CHECK(ignored.status.code == 4);
    auto closed = co_await exec("exec <&-; sleep 0.02; echo on", options);
    CHECK(closed.out == "on\n");
}

TEST_WITHIN(60s, "ten megabytes go in, and come out of both streams, at once", "[exec]")
{
    std::string ten;
    for (int number = 0; ten.size() < (10 << 20); ++number)
        ten += std::to_string(number) + '\n';
    auto options = exec_options().input(ten);
    auto result = co_await exec("tee /dev/stderr", options);
    CHECK((result.out == ten));
    CHECK((result.err == ten));
}

TEST_WITHIN(10s, "without input there is none", "[exec]")
{
    auto result = co_await exec_file("cat");
    CHECK(result.success());
    CHECK(result.out.empty());
}

TEST_WITHIN(20s, "a command ends although a grandchild holds its pipes", "[exec]")
{
    auto result = co_await exec("sleep 1000 & echo $!");
    CHECK(result.status.code == 0);
    REQUIRE_FALSE(result.out.empty());
    ::kill(std::stoi(result.out), SIGKILL);
}

TEST_WITHIN(20s, "what a grandchild prints within a second of the end is a part of the result",
            "[exec]")
{
    auto result = co_await exec("(sleep 0.2; echo late) & echo early");
    CHECK(result.out == "early\nlate\n");
}

TEST_WITHIN(10s, "cancelled before it began, nothing is started",
            "[exec][node-15][node-28][node-B20]")
{
    auto executor = co_await asio::this_coro::executor;
    for (int round = 0; round < 20; ++round)
    {
        running command;
        command.begin(executor, exec("sleep 1000"));
        command.stop.emit(asio::cancellation_type::terminal);
        auto over = co_await eventually(5s, [&] { return command.done; });
        CHECK(over);
        CHECK(command.failed == asio::error::operation_aborted);
        CHECK(children().empty());
    }
}

TEST_WITHIN(30s, "cancelled later, the command and all that it started are ended",
            "[exec][node-15][node-28]")
{
    auto executor = co_await asio::this_coro::executor;
    for (int round = 0; round < 10; ++round)
    {
        running command;
        command.begin(executor, exec("sleep 1000 | sleep 1000", impatient()));
        auto started = co_await eventually(5s, [] { return !children().empty(); });
        CHECK(started);
        co_await brood::sleep(std::chrono::milliseconds(round));
        command.stop.emit(asio::cancellation_type::terminal);
        auto over = co_await eventually(5s, [&] { return command.done; });
        auto gone = co_await eventually(5s, [] { return children().empty(); });
        CHECK(over);
        CHECK(command.failed == asio::error::operation_aborted);
        CHECK(gone);
    }
}

TEST_WITHIN(30s, "a command that loses against a timer is ended, and one that wins is not",
            "[exec]")
{
    using namespace asio::experimental::awaitable_operators;
    auto late = co_await (exec("exec sleep 1000") || brood::sleep(20ms));
    CHECK(late.index() == 1);
    auto gone = co_await eventually(5s, [] { return children().empty(); });
    CHECK(gone);

    auto quick = co_await (exec("echo quick") || brood::sleep(20s));
    REQUIRE(quick.index() == 0);
    CHECK(std::get<0>(quick).out == "quick\n");
}

TEST_CASE("a command runs on the executor that is named", "[exec]")
{
    asio::io_context loop(1);
    std::string printed;
    auto add = [&](std::exception_ptr, const exec_result& result)
    {
        printed += result.out;
    };
    auto executor = loop.get_executor();
    asio::co_spawn(loop, exec(executor, "printf 1", exec_options().timeout(10s)), add);
    asio::co_spawn(loop, exec_file(executor, "printf", {"1"}), add);
    loop.run();
    CHECK(printed == "11");
    CHECK(children().empty());
}

TEST_WITHIN(30s, "a hundred commands run at once", "[exec]")
{
    auto executor = co_await asio::this_coro::executor;
    int done = 0;
    for (int number = 0; number < 100; ++number)
    {
        auto command = exec("echo " + std::to_string(number));
        asio::co_spawn(executor, std::move(command),
                       [&, number](std::exception_ptr, const exec_result& result)
                       { done += result.out == std::to_string(number) + "\n"; });
    }
    auto all = co_await eventually(20s, [&] { return done == 100; });
    CHECK(all);
}

TEST_WITHIN(10s, "a zero byte is refused before anything is started", "[exec]")
{
    std::string step;
    try
    {
        co_await exec(std::string("echo \0x", 7));
    }
    catch (const brood::spawn_error& refused)
    {
        step = refused.step();
    }
    CHECK_THAT(step, ContainsSubstring("arguments"));
}

TEST_CASE("being abandoned at any step leaves no process", "[exec]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            auto options = exec_options().input("x");
            auto result = co_await exec("cat; echo y", options);
            CHECK(result.out == "xy\n");
        });
}

TEST_CASE("without a loop, a command blocks and gives the same", "[exec][node-90][node-96]")
{
    auto options = exec_options().input("given");
    auto result = exec_file_sync("cat", {}, options);
    CHECK(result.out == "given");
    CHECK(exec_sync("exit 5").status.code == 5);
    CHECK(exec_sync("no-such-command").status.code == 127);
    CHECK_THROWS_AS(exec_file_sync("no-such-command"), brood::spawn_error);
    CHECK(children().empty());
}

TEST_CASE("without a loop, bytes go in and come out of both streams", "[exec][node-90]")
{
    std::string bytes("\0\xff\xc3\xa4\r\n", 6);
    auto result = exec_sync("tee /dev/stderr", exec_options().input(bytes));
    CHECK(result.out == bytes);
    CHECK(result.err == bytes);
}

TEST_CASE("without a loop, limits of output are the same", "[exec][node-31][node-32][node-92]")
{
    auto much = exec_sync("yes", impatient().max_output(4));
    CHECK(much.limit == exec_limit::output);
    CHECK(much.out == "y\ny\n");

    auto fits = exec_sync("head -c 16777215 /dev/zero");
    CHECK(fits.success());
    CHECK(fits.out.size() == 16777215);
    auto more = exec_file_sync("head", {"-c", "16777217", "/dev/zero"});
    CHECK(more.limit == exec_limit::output);
    CHECK(more.out.size() == 16777216);
    auto all =
        exec_sync("head -c 16777217 /dev/zero", exec_options().max_output(exec_options::unlimited));
    CHECK(all.success());
    CHECK(all.out.size() == 16777217);
}

TEST_CASE("without a loop, a command ends by the signal that is asked for", "[exec][node-91]")
{
    auto by = [](std::optional<int> signal)
    {
        auto policy = signal ? brood::stop_policy(5s, *signal) : brood::stop_policy();
        return exec_file_sync("sleep", {"1000"}, exec_options().stop(policy).timeout(20ms));
    };
    CHECK(by(std::nullopt).status.signal == SIGTERM);
    CHECK(by(SIGUSR1).status.signal == SIGUSR1);
    CHECK(by(brood::signal_number("SIGINT")).status.signal == SIGINT);
    CHECK(by(SIGKILL).limit == exec_limit::timeout);
    CHECK_FALSE(brood::signal_number("SIGWHAT"));
    CHECK_THROWS_AS(brood::stop_policy(1s, 1000), std::invalid_argument);
}

TEST_CASE("without a loop, what cannot be started says why", "[exec][node-20][node-96][node-112]")
{
    auto missing = refusal("no-such-program", {});
    REQUIRE(missing);
    CHECK(missing->code() == std::errc::no_such_file_or_directory);
    CHECK(missing->step() == "exec");
    CHECK_THAT(missing->what(), ContainsSubstring("no-such-program"));

    auto nowhere = refusal("true", exec_options().cwd("/no/such/folder"));
    REQUIRE(nowhere);
    CHECK(nowhere->step() == "cwd");
    CHECK_THAT(nowhere->what(), ContainsSubstring("/no/such/folder"));

    CHECK_THAT(refused("/dev/null"), ContainsSubstring("Permission denied"));
    CHECK(refused("true") == "");
}

TEST_CASE("values out of range are refused before anything is started", "[exec][node-95]")
{
    CHECK_THAT(refused("true", exec_options().timeout(-1ms)), ContainsSubstring("timeout"));
    CHECK_THAT(refused(""), ContainsSubstring("arguments"));
    CHECK_THAT(refused("true", exec_options().cwd(std::string("/\0", 2))),
               ContainsSubstring("zero byte"));

    brood::spawn_options start;
    start.uid = static_cast<uid_t>(-1);
    CHECK_THAT(refused("true", start), ContainsSubstring("ids"));
    start.uid.reset();
    start.limits[RLIMIT_NOFILE] = {20, 10};
    CHECK_THAT(refused("true", start), ContainsSubstring("limits"));
    CHECK(children().empty());
}

TEST_CASE("without a loop, a grandchild that holds the pipes is not waited for", "[exec]")
{
    auto begin = std::chrono::steady_clock::now();
    auto result = exec_sync("sleep 1000 & echo $!");
    auto took = std::chrono::steady_clock::now() - begin;
    CHECK(result.success());
    CHECK(took < patient(20s));
    REQUIRE_FALSE(result.out.empty());
    ::kill(std::stoi(result.out), SIGKILL);
}

TEST_CASE("without a loop, arguments, directory and variables are those asked for",
          "[exec][node-88][node-89][node-93][node-112]")
{
    auto options = exec_options().cwd("/").env(brood::environment().set("BROOD_TEST", "sync"));
    CHECK(exec_sync("pwd; echo $BROOD_TEST", options).out == "/\nsync\n");
    CHECK(exec_file_sync("pwd", {}, options).out == "/\n");
    CHECK(exec_file_sync("pwd", std::vector<std::string>(), options).out == "/\n");
    CHECK(exec_sync("echo a | tr a b").out == "b\n");
    CHECK(exec_file_sync("echo", {"$HOME;", "a b"}).out == "$HOME; a b\n");
}

TEST_WITHIN(20s, "a command that blocks may stand inside a loop that runs", "[exec]")
{
    temporary_directory folder;
    auto file = (folder.path() / "go").string();
    running other;
    std::string heard;
    exec_options options;
    options.on_out([&](std::string_view piece) { heard += piece; });
    auto executor = co_await asio::this_coro::executor;
    other.begin(executor,
                exec("echo begun; while [ ! -e " + file + " ]; do sleep 0.01; done; echo went on",
                     options));
    auto begun = co_await eventually(5s, [&] { return !heard.empty(); });
    CHECK(begun);

    CHECK(exec_sync("echo inside; touch " + file).out == "inside\n");

    auto done = co_await eventually(5s, [&] { return other.done; });
    CHECK(done);
    CHECK(heard == "begun\nwent on\n");
}
