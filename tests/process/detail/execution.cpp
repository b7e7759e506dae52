// SPDX-License-Identifier: BSL-1.0
#include <brood/process/detail/execution.hpp>

#include <brood/process/exec.hpp>
#include <brood/process/run.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

// What becomes of a command and of all that it started, when it is ended before its time.

using namespace std::chrono_literals;
using namespace brood::test;
using brood::exec;
using brood::exec_limit;
using brood::exec_options;
using brood::exec_result;
using brood::exec_sync;
using brood::spawn_options;
using brood::stdio;
using brood::stop_policy;
using brood::task;

namespace
{

/// A command whose processes note their pids in a file, so that each can be looked for afterwards.
class family
{
public:
    family() { std::ofstream created(file()); }

    /// A script in which `note` adds the pid of the shell that runs it, `deaf` one that ends by
    /// nothing but SIGKILL.
    std::string script(const std::string& commands) const
    {
        return "note() { sh -c 'echo $PPID' >> " + file() +
               "; }; deaf() { trap '' TERM; note; while :; do sleep 0.02; done; }; " + commands;
    }

    std::vector<pid_t> members() const
    {
        std::ifstream noted(file());
        return {std::istream_iterator<pid_t>(noted), {}};
    }

    bool has(std::size_t count) const { return members().size() >= count; }

    bool all_gone() const
    {
        for (auto pid : members())
            if (!gone(pid))
                return false;
        return true;
    }

    std::string file() const { return (folder_.path() / "pids").string(); }

private:
    temporary_directory folder_;
};

/// Options whose steps of ending take no long time.
exec_options impatient()
{
    return exec_options().stop(stop_policy(100ms));
}

/// A command that runs in the background.
struct running
{
    asio::cancellation_signal stop;
    std::optional<exec_result> result;
    std::exception_ptr thrown;

    template <class Executor>
    void begin(const Executor& executor, task<exec_result> command)
    {
        asio::co_spawn(
            executor, std::move(command),
            asio::bind_cancellation_slot(stop.slot(),
                                         [this](std::exception_ptr failed, exec_result ended)
                                         {
                                             thrown = failed;
                                             result = std::move(ended);
                                         }));
    }

    void cancel() { stop.emit(asio::cancellation_type::terminal); }

    bool is_over() const { return result.has_value(); }
};

} // namespace

TEST_CASE("after its time a pipeline ends with grandchildren that ignore SIGTERM", "[execution]")
{
    family all;
    within(30s,
           [&]() -> task<>
           {
               auto options = impatient().timeout(500ms);
               auto result =
                   co_await exec(all.script("(deaf) | (deaf | deaf) & note; wait"), options);

               CHECK(result.limit == exec_limit::timeout);
               CHECK(result.status.signal == SIGTERM);
           });
    CHECK(all.members().size() == 4);
    CHECK(wait_until(5s, [&] { return all.all_gone(); }));
}

TEST_CASE("who prints nowhere is ended as well", "[execution]")
{
    family all;
    within(30s,
           [&]() -> task<>
           {
               auto options = impatient().timeout(500ms);
               auto result = co_await exec(
                   all.script("(deaf) > /dev/null 2>&1 & (deaf) > /dev/null 2>&1 & note; wait"),
                   options);
               CHECK(result.limit == exec_limit::timeout);
           });
    CHECK(all.members().size() == 3);
    CHECK(wait_until(5s, [&] { return all.all_gone(); }));
}

TEST_CASE("a command that starts others all the time leaves none of them", "[execution]")
{
    family all;
    within(30s,
           [&]() -> task<>
           {
               auto options = impatient().timeout(300ms);
               auto storm = all.script("trap '' TERM; while :; do (note; exec sleep 1000) & "
                                       "(note; exec sleep 1000) & sleep 0.01; done");
               auto result = co_await exec(storm, options);
               CHECK(result.limit == exec_limit::timeout);
               CHECK(result.status.signal == SIGKILL);
           });
    CHECK(all.has(4));
    CHECK(wait_until(5s, [&] { return all.all_gone(); }));
}

TEST_CASE("a cancelled command ends with grandchildren that ignore SIGTERM", "[execution]")
{
    family all;
    within(30s,
           [&]() -> task<>
           {
               auto executor = co_await asio::this_coro::executor;
               running command;
               command.begin(executor,
                             exec(all.script("(deaf) | (deaf) & note; wait"), impatient()));
               auto begun = co_await eventually(5s, [&] { return all.has(3); });
               CHECK(begun);

               command.cancel();
               auto over = co_await eventually(5s, [&] { return command.is_over(); });
               auto ended = co_await eventually(5s, [&] { return all.all_gone(); });

               CHECK(over);
               CHECK(command.thrown);
               CHECK(ended);
           });
}

TEST_CASE("a program ends after what it cancelled has ended", "[execution]")
{
    family all;
    auto code = brood::run(
        [&]() -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            auto command = std::make_shared<running>();
            command->begin(executor, exec(all.script("(deaf) & note; wait"), impatient()));
            auto begun = co_await eventually(5s, [&] { return all.has(2); });
            CHECK(begun);
            command->cancel();
            auto over = co_await eventually(5s, [&] { return command->is_over(); });
            CHECK(over);
        });
    CHECK(code == 0);
    CHECK(wait_until(1s, [&] { return all.all_gone(); }));
}

TEST_CASE("the loop takes a running command and all that it started with it", "[execution]")
{
    family all;
    {
        running command;
        asio::io_context loop(1);
        command.begin(loop.get_executor(),
                      exec(loop.get_executor(), all.script("(deaf) & note; wait")));
        auto begun = wait_until(10s,
                                [&]
                                {
                                    loop.run_for(1ms);
                                    return all.has(2);
                                });
        CHECK(begun);
    }
    CHECK(wait_until(5s, [&] { return all.all_gone(); }));
    CHECK(children().empty());
}

TEST_CASE("the loop takes what is being ended with it", "[execution]")
{
    family all;
    {
        running command;
        asio::io_context loop(1);
        command.begin(loop.get_executor(),
                      exec(loop.get_executor(), all.script("(deaf) & note; wait")));
        auto turn = [&](auto condition)
        {
            return wait_until(10s,
                              [&]
                              {
                                  loop.run_for(1ms);
                                  return condition();
                              });
        };
        CHECK(turn([&] { return all.has(2); }));
        command.cancel();
        // The shell has ended; the deaf one has five seconds, and another parent.
        CHECK(turn([] { return children().empty(); }));
        CHECK_FALSE(all.all_gone());
    }
    CHECK(wait_until(1s, [&] { return all.all_gone(); }));
}

TEST_CASE("whatever the policy says, a command ends", "[execution]")
{
    family all;
    within(30s,
           [&]() -> task<>
           {
               spawn_options start;
               start.stop = stop_policy({brood::stop_step::signal(SIGTERM, 50ms)});
               auto options = exec_options(start).timeout(500ms);
               auto result = co_await exec(all.script("deaf"), options);
               CHECK(result.limit == exec_limit::timeout);
               CHECK(result.status.signal == SIGKILL);
           });
}

TEST_WITHIN(30s, "a stopped command ends after its time", "[execution]")
{
    auto options = impatient().timeout(100ms);
    auto result = co_await exec("kill -STOP $$", options);
    CHECK(result.limit == exec_limit::timeout);
    CHECK(result.status.signal == SIGTERM);
}

TEST_CASE("a group of its own is ended as a whole", "[execution]")
{
    family all;
    within(30s,
           [&]() -> task<>
           {
               spawn_options start;
               start.group = brood::process_group::own();
               start.stop = stop_policy(5s);
               // The one in the background loses its parent, and is found by its group only.
               auto orphan = all.script("(sh -c 'note() { echo $$ >> " + all.file() +
                                        "; }; note; exec sleep 1000' &) ; note; while :; do sleep "
                                        "0.02; done");
               auto options = exec_options(start).timeout(500ms);
               auto result = co_await exec(orphan, options);
               CHECK(result.limit == exec_limit::timeout);
           });
    CHECK(all.members().size() == 2);
    CHECK(wait_until(5s, [&] { return all.all_gone(); }));
}

TEST_WITHIN(30s, "what a command says while it is ended is kept", "[execution]")
{
    auto options = exec_options().timeout(500ms);
    auto result = co_await exec("trap 'echo last words; exit 3' TERM; echo first; "
                                "while :; do sleep 0.01; done",
                                options);
    CHECK(result.out == "first\nlast words\n");
    CHECK(result.status.code == 3);
    CHECK(result.limit == exec_limit::timeout);
    CHECK_FALSE(result.success());
}

TEST_WITHIN(30s, "a cancelled command is not listened to any more", "[execution]")
{
    auto executor = co_await asio::this_coro::executor;
    std::string heard;
    running command;
    {
        exec_options options;
        options.on_out([&](std::string_view piece) { heard += piece; });
        command.begin(executor, exec("trap 'echo more; exit' TERM; echo first; while :; do "
                                     "sleep 0.01; done",
                                     options));
    }
    auto begun = co_await eventually(5s, [&] { return !heard.empty(); });
    command.cancel();
    auto gone = co_await eventually(5s, [] { return children().empty(); });
    co_await brood::sleep(10ms);

    CHECK(begun);
    CHECK(gone);
    CHECK(heard == "first\n");
}

TEST_WITHIN(30s, "a listener that has thrown is not called again", "[execution]")
{
    int calls = 0;
    exec_options options;
    auto fail = [&](std::string_view)
    {
        ++calls;
        throw std::domain_error("enough");
    };
    options.on_out(fail).on_err(fail);
    std::string text;
    try
    {
        co_await exec("trap 'echo x; exit' TERM; echo x; echo y >&2; while :; do "
                      "echo y >&2; sleep 0.01; done",
                      options);
    }
    catch (const std::domain_error& thrown)
    {
        text = thrown.what();
    }
    CHECK(text == "enough");
    CHECK(calls == 1);
}

TEST_WITHIN(10s, "a pipe as stdin without input is at its end", "[execution]")
{
    std::vector pipes{stdio::pipe(), stdio::pipe_to_child(), stdio::duplex()};
    for (auto& from : pipes)
    {
        spawn_options start;
        start.stdin_ = from;
        exec_options options(start);
        auto result = co_await brood::exec_file("cat", {}, options);
        CHECK(result.success());
        CHECK(result.out.empty());
    }
}

TEST_WITHIN(10s, "what is said to a stream both ways as stdin is no part of stderr", "[execution]")
{
    spawn_options start;
    start.stdin_ = stdio::duplex();
    exec_options options(start);
    auto result = co_await brood::exec("echo in >&0; echo out; echo err >&2", options);

    CHECK(result.out == "out\n");
    CHECK(result.err == "err\n");
}

TEST_WITHIN(10s, "stdin may be a file", "[execution]")
{
    temporary_directory folder;
    auto file = folder.path() / "given";
    std::ofstream(file.string()) << "from a file";
    spawn_options start;
    start.stdin_ = stdio::read(file.string());
    exec_options options(start);
    auto result = co_await brood::exec_file("cat", {}, options);
    CHECK(result.out == "from a file");
}

TEST_WITHIN(10s, "stderr may go where stdout does, in the order it was printed", "[execution]")
{
    spawn_options start;
    start.stderr_ = stdio::same_as_stdout();
    auto options = exec_options(start).timeout(20s);
    auto result = co_await exec("echo 1; echo 2 >&2; echo 3", options);
    CHECK(result.out == "1\n2\n3\n");
    CHECK(result.err.empty());
    CHECK(result.success());
}
