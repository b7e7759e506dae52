// SPDX-License-Identifier: BSL-1.0
// What a start gives a child, and what it refuses; nothing of a refused start is left.
#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>

#include "support/back_ends.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/disturbance.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <climits>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::arguments;
using brood::child_process;
using brood::environment;
using brood::process_group;
using brood::spawn;
using brood::spawn_error;
using brood::spawn_options;
using brood::stdio;
using brood::stop_policy;
using brood::task;
using brood::detail::launcher;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace
{

constexpr uid_t nobody = 65534;

/// How a start is refused, without the program and the advice: "cwd '/nowhere': No such file or
/// directory".
std::string refusal(const spawn_options& options, const std::string& program = "true")
{
    try
    {
        spawn(program, {}, options).kill(SIGKILL);
    }
    catch (const spawn_error& refused)
    {
        auto text = std::string(refused.what()).substr(("spawn '" + program + "': ").size());
        return text.substr(0, text.find("; "));
    }
    return "nothing was refused";
}

std::string refusal_of_descriptor(int number, const stdio& leads)
{
    spawn_options options;
    options.descriptors.emplace(number, leads);
    return refusal(options);
}

task<> become_root(brood::process& self)
{
    spawn_options user, group, groups;
    user.uid = 0;
    group.gid = 0;
    groups.groups = std::vector<gid_t>{0};
    self.send(refusal(user));
    self.send(refusal(group));
    self.send(refusal(groups));
    co_return;
}

/// Tells the order in which the ends of a child come.
task<> note(task<brood::exit_status> end, std::string& order, char letter)
{
    co_await std::move(end);
    order += letter;
}

} // namespace

TEST_WITHIN(10s, "a handle is empty until a child that was started is assigned to it", "[node-6]")
{
    child_process child;
    spawn_options wrong;
    wrong.timeout = -1ms;
    CHECK_THROWS_AS(child = spawn("sleep", {"1000"}, wrong), spawn_error);
    CHECK_THROWS_AS(child = spawn("/nowhere/sleep"), spawn_error);
    CHECK_FALSE(child);

    child = spawn("sleep", {"1000"});

    CHECK(child);
    CHECK(alive(child.pid()));
    CHECK(child.program() == "sleep");
    CHECK_THROWS_AS(child.kill(NSIG + 1), std::system_error);
    CHECK(child.kill());
    auto status = co_await child.exit();
    CHECK(status.pid == child.pid());
    CHECK(status.signal == SIGTERM);
}

TEST_WITHIN(10s, "a child starts where it is told, without a word where we are", "[node-7]")
{
    temporary_directory folder;
    auto here = std::filesystem::current_path().string() + "\n";
    spawn_options options;
    auto by_default = co_await printed("pwd -P", options);
    CHECK(by_default == here);

    for (std::string cwd : {folder.path().string(), std::string("/"), std::string("..")})
    {
        options.cwd = cwd;
        auto text = co_await printed("pwd -P", options);
        CHECK(text == std::filesystem::canonical(cwd).string() + "\n");
    }
    CHECK(std::filesystem::current_path().string() + "\n" == here);
}

TEST_WITHIN(10s, "a start in a directory that is none names the directory and the reason",
            "[node-7][node-B16][defect-12]")
{
    temporary_directory folder;
    spawn_options options;
    options.stdout_ = stdio::pipe();
    options.cwd = folder / "missing";
    auto missing = "cwd '" + options.cwd + "': No such file or directory";
    CHECK(refusal(options) == missing);
    // The directory is at fault, whether or not there is such a program.
    CHECK(refusal(options, "brood-no-such-program") == missing);

    options.cwd = folder.write("file", "");
    CHECK(refusal(options) == "cwd '" + options.cwd + "': Not a directory");
    co_return;
}

TEST_WITHIN(10s, "an environment is ours with edits, or exactly what is named", "[node-8][node-14]")
{
    ::setenv("BROOD_KEPT", "kept", 1);
    ::setenv("BROOD_OUT", "out", 1);
    auto show = "env | grep -e ^BROOD_KEPT -e ^BROOD_OUT -e ^BROOD_EMPTY | sort";
    spawn_options options;
    auto inherited = co_await printed(show, options);
    options.env = environment().unset("BROOD_OUT").set("BROOD_EMPTY", "");
    auto edited = co_await printed(show, options);
    options.env->set("brood_kept", "another").set("BROOD_KEPT", "new");
    auto both = co_await printed("echo $BROOD_KEPT $brood_kept", options);
    options.env = environment::only();
    auto nothing = co_await printed("/usr/bin/env | grep BROOD; echo $?", options);
    ::unsetenv("BROOD_KEPT");
    ::unsetenv("BROOD_OUT");

    CHECK(inherited == "BROOD_KEPT=kept\nBROOD_OUT=out\n");
    CHECK(edited == "BROOD_EMPTY=\nBROOD_KEPT=kept\n");
    CHECK(both == "new another\n");
    CHECK(nothing == "1\n");
}

TEST_WITHIN(10s, "no form of having no arguments swallows the options", "[node-79]")
{
    spawn_options options;
    options.env = environment::only({{"GIVEN", "yes"}});
    options.stdout_ = stdio::pipe();
    std::vector<child_process> forms;
    forms.push_back(spawn("/usr/bin/env", {}, options));
    forms.push_back(spawn("/usr/bin/env", arguments(), options));
    forms.push_back(spawn("/usr/bin/env", std::vector<std::string>(), options));
    forms.push_back(spawn(brood::default_executor(), "/usr/bin/env", {}, options));

    for (auto& child : forms)
    {
        auto text = co_await child.out().read_all();
        auto status = co_await child.exit();
        CHECK(text == "GIVEN=yes\n");
        CHECK(status.success());
    }
}

TEST_WITHIN(20s, "a program that is missing leaves an error that says all, and nothing else",
            "[node-82]")
{
    spawn_options options;
    options.stdin_ = options.stdout_ = options.stderr_ = stdio::pipe();
    options.descriptors.emplace(5, stdio::duplex());
    auto first = spawn("true", {}, options); // from here on the loop has its own
    co_await first.closed();
    first = child_process();
    auto before = open_descriptors();
    for (int round = 0; round < 50; ++round)
    {
        try
        {
            spawn("brood-no-such-program", {"-a", "b"}, options);
            FAIL("it was started");
        }
        catch (const spawn_error& refused)
        {
            CHECK(refused.program() == "brood-no-such-program");
            CHECK(refused.step() == "exec");
            CHECK(refused.code() == std::errc::no_such_file_or_directory);
            CHECK_THAT(refused.what(), StartsWith("spawn 'brood-no-such-program -a b': exec: "
                                                  "No such file or directory; it is in no "));
        }
        CHECK(children().empty());
    }
    CHECK(changes(before, open_descriptors()) == std::vector<std::string>{});
}

TEST_CASE("a child is its program when the start returns; data, end, exit and close come after",
          "[node-83]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            spawn_options options;
            options.stdin_ = stdio::pipe();
            auto child = printing("read go; echo data; exit 3", options);
            auto line = find_process(child.pid());
            REQUIRE(line);
            CHECK(line->name == "sh");
            CHECK_FALSE(child.status());

            std::string order;
            asio::co_spawn(executor, note(child.closed(), order, 'c'), asio::detached);
            asio::co_spawn(executor, note(child.exit(), order, 'e'), asio::detached);
            co_await child.in().write("go\n");
            disturb(how, child.pid());
            auto text = co_await child.out().read_all();
            auto both = co_await eventually(5s, [&] { return order.size() == 2; });

            CHECK(both);
            CHECK(text == "data\n");
            CHECK(order == "ec");
            CHECK(child.status()->code == 3);
        });
}

TEST_WITHIN(10s,
            "a shell runs commands, pipes and variables, and tells of an unknown command by 127",
            "[node-84]")
{
    spawn_options options;
    options.stdout_ = stdio::pipe();
    options.stderr_ = stdio::same_as_stdout();
    auto unknown = shell("brood-no-such-command", options);
    auto complaint = co_await unknown.out().read_all();
    auto status = co_await unknown.exit();
    CHECK(status.code == 127);
    CHECK_THAT(complaint, ContainsSubstring("brood-no-such-command"));

    options.env = environment().set("WORD", "loud");
    auto piped = co_await printed("echo \"$WORD\" | tr a-z A-Z", options);
    CHECK(piped == "LOUD\n");
}

TEST_WITHIN(10s, "values that cannot be are refused by the step that would meet them", "[node-95]")
{
    spawn_options time, user, group, limit, resource, leader;
    time.timeout = -1ms;
    user.uid = static_cast<uid_t>(-1);
    group.gid = static_cast<gid_t>(-1);
    limit.limits[RLIMIT_NOFILE] = rlimit{2, 1};
    resource.limits[12345] = rlimit{1, 1};
    leader.group = process_group::join(-1);

    CHECK_THAT(refusal(time), StartsWith("timeout"));
    CHECK_THAT(refusal(user), StartsWith("ids"));
    CHECK_THAT(refusal(group), StartsWith("ids"));
    CHECK_THAT(refusal(limit), StartsWith("limits"));
    CHECK_THAT(refusal(resource), StartsWith("limits"));
    CHECK_THAT(refusal(leader), StartsWith("group"));
    CHECK_THROWS_AS(stop_policy(-1ms), std::invalid_argument);
    CHECK_THROWS_AS(stop_policy(1s, NSIG), std::invalid_argument);
    CHECK_THROWS_AS(stop_policy(std::vector<brood::stop_step>()), std::invalid_argument);
    co_return;
}

TEST_WITHIN(10s, "descriptors that cannot be given are refused by number", "[node-109]")
{
    for (int number : {-1, 0, 2})
        CHECK_THAT(refusal_of_descriptor(number, stdio::pipe()), StartsWith("stdio"));
    CHECK_THAT(refusal_of_descriptor(200, stdio::inherit()),
               StartsWith("stdio descriptor 200: Bad file descriptor"));
    CHECK_THAT(refusal_of_descriptor(200, stdio::from(-1)), StartsWith("stdio"));
    CHECK_THAT(refusal_of_descriptor(INT_MAX, stdio::pipe()), StartsWith("descriptors"));
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    auto limit = static_cast<int>(files.rlim_cur);
    CHECK_THAT(refusal_of_descriptor(limit, stdio::pipe()), StartsWith("descriptors"));
    co_return;
}

TEST_CASE("the highest descriptor that the limit allows can be given, every way to start",
          "[node-109]")
{
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    auto lower = before;
    lower.rlim_cur = 256;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
    for (auto way : {launcher::clone, launcher::posix_spawn, launcher::fork})
    {
        forced_back_ends forced({way});
        within(10s,
               []() -> task<>
               {
                   spawn_options options;
                   options.descriptors.emplace(255, stdio::pipe());
                   auto child = spawn("/bin/sh", {"-c", "echo high >/dev/fd/255"}, options);
                   auto text = co_await child.out(255).read_all();
                   auto status = co_await child.exit();

                   CHECK(text == "high\n");
                   CHECK(status.success());
               });
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_WITHIN(20s, "nobody becomes root", "[node-108]")
{
    spawn_options options;
    if (::geteuid() == 0)
    {
        options.uid = nobody;
        options.gid = nobody;
    }
    auto executor = co_await asio::this_coro::executor;
    auto child = brood::fork_with<become_root>(executor, options);
    for (int count = 0; count < 3; ++count)
    {
        auto refused = co_await child.message<std::string>();
        CHECK(refused == "ids: Operation not permitted");
    }
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(10s, "a coroutine that is cancelled before it begins starts nothing", "[node-B20]")
{
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    int started = 0, done = 0;
    auto work = [](int& starts) -> task<>
    {
        co_await brood::sleep(0ms);
        ++starts;
        auto child = spawn("sleep", {"1000"});
        co_await child.exit();
    };
    asio::co_spawn(executor, work(started),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown)
                                                { done += thrown != nullptr; }));
    stop.emit(asio::cancellation_type::terminal);
    auto over = co_await eventually(5s, [&] { return done == 1; });

    CHECK(over);
    CHECK(started == 0);
    CHECK(children().empty());
}
