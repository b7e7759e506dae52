// SPDX-License-Identifier: BSL-1.0
#include <brood/process/detail/execution.hpp>

#include <brood/process/exec.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/run.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>
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

/// The processes that were started by exactly this, as `sleep 1000.5`.
std::vector<pid_t> started_as(const std::string& line)
{
    auto wanted = line + ' ';
    std::replace(wanted.begin(), wanted.end(), ' ', '\0');
    std::vector<pid_t> result;
    for (auto& entry : std::filesystem::directory_iterator("/proc"))
    {
        if (read_file(entry.path() / "cmdline") == wanted) // which throws nothing when it goes
            result.push_back(std::stoi(entry.path().filename()));
    }
    return result;
}

/// How many there are; each is ended.
int end_all(const std::string& line)
{
    auto found = started_as(line);
    for (auto pid : found)
        ::kill(pid, SIGKILL);
    return static_cast<int>(found.size());
}

/// As on a system that does not tell who is there.
struct no_proc
{
    no_proc() { brood::detail::without_proc = true; }

    ~no_proc() { brood::detail::without_proc = false; }

    no_proc(const no_proc&) = delete;
    no_proc& operator=(const no_proc&) = delete;
};

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

/// Runs a command as root that has a limit, and is root no more when that comes.
task<> sheds_its_rights(brood::process& self)
{
    auto heard = false;
    exec_options options;
    options.timeout(500ms).on_out([&](std::string_view) { heard = true; });
    running command;
    auto executor = co_await asio::this_coro::executor;
    command.begin(executor, exec("echo begun; exec sleep 1000", options));
    co_await eventually(20s, [&] { return heard; });
    if (::setresuid(65534, 65534, 65534) == -1)
        co_return;
    co_await eventually(20s, [&] { return command.is_over(); });
    auto& result = *command.result;
    self.send(std::string(command.thrown ? "thrown" : to_string(result)));
    self.send(result.out);
    self.send(int(result.status.pid));
    self.send(result.limit == exec_limit::timeout && result.status.lost);
}

/// Is killed while it runs a command, whose pid it tells.
task<> dies_with_a_command(brood::process& self)
{
    std::string heard;
    exec_options options;
    options.on_out([&](std::string_view text) { heard += text; });
    running command;
    auto executor = co_await asio::this_coro::executor;
    command.begin(executor, exec("echo $$; exec sleep 1000", options));
    co_await eventually(20s, [&] { return heard.ends_with('\n'); });
    self.send(heard);
    co_await self.flush();
    ::kill(self.pid(), SIGKILL);
}

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
        CHECK(turn([] { return children().front().state == 'Z'; }));
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

    auto fastest = std::chrono::steady_clock::duration::max(); // no second stream is waited for
    for (int count = 0; count < 3; ++count)
    {
        auto begin = std::chrono::steady_clock::now();
        co_await exec("true", options);
        fastest = std::min(fastest, std::chrono::steady_clock::now() - begin);
    }
    CHECK(fastest < 900ms);
}

TEST_WITHIN(120s, "what a command starts while it is ended ends with it", "[execution]")
{
    auto sleep = "sleep 1000." + std::to_string(::getpid());
    auto limited = exec_options().max_output(1000);
    for (int round = 0; round < 100; ++round)
    {
        // The shell forks at the moment when its tree is signalled.
        auto result = co_await exec("head -c 1001 /dev/zero; " + sleep, limited);
        CHECK(result.limit == exec_limit::output);
    }
    CHECK(end_all(sleep) == 0);
}

TEST_WITHIN(30s, "a command has a group of its own, or that which is asked for", "[execution]")
{
    auto group = "echo $$ $(cut -d' ' -f5 /proc/$$/stat)";
    auto apart = co_await exec(group);
    auto pid = std::to_string(apart.status.pid);
    CHECK(apart.out == pid + ' ' + pid + '\n');

    spawn_options start;
    start.group = brood::process_group::join(::getpgrp());
    exec_options options(start);
    auto together = co_await exec(group, options);
    pid = std::to_string(together.status.pid);
    CHECK(together.out == pid + ' ' + std::to_string(::getpgrp()) + '\n');
}

TEST_WITHIN(30s, "a command ends with the process that runs it, although that is killed",
            "[execution]")
{
    auto child = brood::fork<dies_with_a_command>();
    auto told = co_await child.message<std::string>();
    co_await child.exit();
    REQUIRE(told);
    auto ended = co_await eventually(5s, [&] { return gone(std::stoi(*told)); });
    CHECK(ended);
}

TEST_WITHIN(30s, "who lost the parent ends with the command, by its group", "[execution]")
{
    auto sleep = "sleep 1001." + std::to_string(::getpid());
    auto options = exec_options().timeout(300ms);
    auto result = co_await exec("(" + sleep + " &); echo hi; sleep 1000", options);
    CHECK(result.limit == exec_limit::timeout);
    CHECK(result.out == "hi\n");
    CHECK(end_all(sleep) == 0);

    // The command itself has ended already, and has a second.
    auto limited = exec_options().max_output(10);
    auto ended = "while [ $(cut -d' ' -f3 /proc/$$/stat) != Z ]; do sleep 0.01; done";
    auto late = false;
    for (int round = 0; round < 20 && !late; ++round)
    {
        auto flood = co_await exec("(" + sleep + " & " + ended + "; yes) &", limited);
        late = flood.limit == exec_limit::output;
        CHECK(flood.status.success());
        CHECK((end_all(sleep) == 0) == late);
    }
    CHECK(late);
}

TEST_WITHIN(60s, "at its limit a command ends with its group and who is below it, and no daemon",
            "[execution]")
{
    struct
    {
        std::string before, after; // the program
        bool is_found;
    } const ways[] = {
        {"", " &", true},                     // it is below the command, and in its group
        {"(", " &)", true},                   // it has lost the parent
        {"setsid ", " &", true},              // it has left the group
        {"(setsid ", " &)", false},           // both, as a daemon does
        {"(setsid sh -c '", " &' &)", false}, // twice, as most do
    };
    auto program = "sleep 1003." + std::to_string(::getpid());
    auto executor = co_await asio::this_coro::executor;
    for (auto& each : ways)
    {
        INFO(each.before + program + each.after);
        auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patient(1500ms));
        auto options = exec_options().timeout(limit).stop(stop_policy(200ms));
        running command;
        command.begin(executor, exec(each.before + program + each.after + "\nsleep 1000", options));
        auto begun = co_await eventually(1s, [&] { return started_as(program).size() == 1; });
        CHECK(begun);
        auto adopts = 0;
        ::prctl(PR_GET_CHILD_SUBREAPER, &adopts);
        CHECK(adopts == 0); // the orphans of others would come to us as well
        co_await eventually(20s, [&] { return command.is_over(); });

        REQUIRE(command.result);
        CHECK(command.result->limit == exec_limit::timeout);
        CHECK(end_all(program) == (each.is_found ? 0 : 1));
    }
}

TEST_WITHIN(30s, "a daemon that holds the pipes keeps no limit waiting, nor an end", "[execution]")
{
    auto daemon = "sleep 1002." + std::to_string(::getpid());
    temporary_directory folder;
    auto options = exec_options().timeout(500ms);
    for (std::string after : {"sleep 1000", "true"})
    {
        auto file = (folder.path() / after.substr(0, 4)).string();
        auto start = "(setsid sh -c 'touch " + file + "; exec " + daemon + "' &); while [ ! -e " +
                     file + " ]; do sleep 0.01; done; echo hi; ";
        auto begin = std::chrono::steady_clock::now();
        auto result = co_await exec(start + after, options);
        auto took = std::chrono::steady_clock::now() - begin;

        CHECK(result.out == "hi\n");
        CHECK(took < patient(4s)); // its policy has ten
        CHECK(end_all(daemon) == 1);
    }
}

TEST_CASE("without /proc a command is ended with all of its group", "[execution]")
{
    for (std::string deaf : {"sleep 1000", "trap '' TERM; while :; do sleep 0.02; done"})
    {
        family all;
        auto lonely = "(note; " + deaf + ") > /dev/null 2>&1 & ";
        within(30s,
               [&]() -> task<>
               {
                   no_proc hidden;
                   auto options = impatient().timeout(500ms);
                   auto pipeline = "(note; " + deaf + ") | (note; " + deaf + ") & note; wait";
                   auto result = co_await exec(all.script(lonely + pipeline), options);
                   CHECK(result.limit == exec_limit::timeout);
               });
        CHECK(all.members().size() == 4);
        CHECK(wait_until(5s, [&] { return all.all_gone(); }));
    }
}

TEST_WITHIN(60s, "a command that may not be ended is told with its limit and what it printed",
            "[execution]")
{
    if (::geteuid() != 0)
    {
        WARN("needs root");
        co_return;
    }
    auto child = brood::fork<sheds_its_rights>();
    auto text = co_await child.message<std::string>();
    auto out = co_await child.message<std::string>();
    auto pid = co_await child.message<int>();
    auto is_told = co_await child.message<bool>();
    co_await child.exit();
    REQUIRE(is_told);
    ::kill(*pid, SIGKILL);

    CHECK(*is_told);
    CHECK(*out == "begun\n");
    CHECK(*text == "process " + std::to_string(*pid) +
                       " (echo begun; exec sleep 1000) still runs although it took too long: send "
                       "SIGTERM to process " +
                       std::to_string(*pid) + ": Operation not permitted");
}

TEST_WITHIN(10s, "a result names the command as one would type it", "[execution]")
{
    auto listed = co_await brood::exec_file("ls", {"-d", "/no such", ""});
    CHECK(listed.command == "ls -d '/no such' ''");
    CHECK(to_string(listed).starts_with("process " + std::to_string(listed.status.pid) +
                                        " (ls -d '/no such' '') ended with code 2: "));

    auto shell = co_await exec("exit 3 | exit 4");
    CHECK(shell.command == "exit 3 | exit 4");
}
