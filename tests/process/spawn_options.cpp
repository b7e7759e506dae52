// SPDX-License-Identifier: BSL-1.0
#include <brood/process/spawn_options.hpp>

#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::spawn;
using brood::spawn_options;
using brood::task;

TEST_WITHIN(10s, "a child starts in its directory, where a relative program is searched",
            "[spawn_options][node-7]")
{
    temporary_directory folder;
    folder.write("here", "#!/bin/sh\npwd -P\n");
    spawn_options options;
    options.cwd = folder.path();
    options.stdout_ = brood::stdio::pipe();
    auto child = spawn("./here", {}, options);
    auto text = co_await child.out().read_all();
    co_await child.exit();

    CHECK(text == std::filesystem::canonical(folder.path()).string() + "\n");
}

TEST_WITHIN(10s, "a program is searched in the PATH that the child is given", "[spawn_options]")
{
    temporary_directory folder;
    folder.write("only-here", "#!/bin/sh\nexit 42\n");
    spawn_options options;
    options.env = brood::environment().set("PATH", folder.path());
    auto child = spawn("only-here", {}, options);
    auto status = co_await child.exit();

    CHECK(status.code == 42);
    CHECK_THROWS_AS(spawn("only-here"), brood::spawn_error);
}

TEST_WITHIN(10s, "the first argument may be another than the program", "[spawn_options][node-80]")
{
    spawn_options options;
    options.argv0 = "another name";
    options.stdout_ = brood::stdio::pipe();
    auto child = spawn("/bin/sh", {"-c", "echo $0"}, options);
    auto text = co_await child.out().read_all();
    co_await child.exit();

    CHECK(text == "another name\n");
}

TEST_WITHIN(10s, "limits are those of the child alone", "[spawn_options]")
{
    spawn_options options;
    options.limits[RLIMIT_NOFILE] = {50, 60};
    options.limits[RLIMIT_CORE] = {0, 0};
    auto text = co_await printed("ulimit -S -n; ulimit -H -n; ulimit -c", options);

    CHECK(text == "50\n60\n0\n");
}

TEST_WITHIN(10s, "a child may be given a descriptor above the limit of open files it is given",
            "[spawn_options]")
{
    brood::spawn_options options;
    options.limits[RLIMIT_NOFILE] = {16, 16};
    options.descriptors.emplace(20, brood::stdio::pipe());
    auto child = brood::spawn("/bin/sh", {"-c", "ulimit -n > /proc/self/fd/20"}, options);
    auto limit = co_await child.out(20).read_line();
    auto status = co_await child.exit();

    CHECK(limit == "16");
    CHECK(status.success());
}

TEST_CASE("a soft limit above the hard one is refused", "[spawn_options]")
{
    spawn_options options;
    options.limits[RLIMIT_NOFILE] = {60, 50};
    asio::io_context loop;

    CHECK_THROWS_WITH(spawn(loop.get_executor(), "true", {}, options),
                      Catch::Matchers::ContainsSubstring("limits the soft one is above"));
}

TEST_WITHIN(20s, "a child whose time is over is stopped by its policy", "[spawn_options][node-85]")
{
    spawn_options options;
    options.timeout = 20ms;
    auto usual = spawn("sleep", {"1000"}, options);
    options.stop = brood::stop_policy(5s, SIGINT);
    auto asked = spawn("sleep", {"1000"}, options);
    options.stop = brood::stop_policy(50ms);
    options.stdout_ = brood::stdio::pipe();
    auto deaf = shell(stubborn, options);
    auto first = co_await usual.exit();
    auto second = co_await asked.exit();
    auto third = co_await deaf.exit();

    CHECK(first.signal == SIGTERM);
    CHECK(second.signal == SIGINT);
    CHECK(third.signal == SIGKILL);
}

TEST_WITHIN(10s, "a time that does not pass changes nothing, however long it is", "[spawn_options]")
{
    spawn_options options;
    options.timeout = std::chrono::milliseconds::max();
    auto child = shell("exit 3", options);
    auto status = co_await child.exit();

    CHECK(status.code == 3);
}

TEST_WITHIN(10s, "a child that is to die with us lives although the thread that started it ends",
            "[spawn_options]")
{
    auto executor = co_await asio::this_coro::executor;
    spawn_options options;
    options.die_with_parent = true;
    options.on_drop = brood::on_drop::kill;
    options.stdin_ = brood::stdio::pipe();
    options.stdout_ = brood::stdio::pipe();
    brood::child_process child;
    std::thread([&] { child = spawn(executor, "cat", {}, options); }).join();
    co_await child.in().write("still there\n");
    auto line = co_await child.out().read_line();

    CHECK(line == "still there");
}

TEST_WITHIN(10s, "a child that is to die with its parent does when that is killed",
            "[spawn_options]")
{
    auto middle = ::fork();
    if (middle == 0)
    {
        asio::io_context loop;
        spawn_options options;
        options.die_with_parent = true;
        options.group = brood::process_group::new_session();
        auto child = spawn(loop.get_executor(), "sleep", {"1000"}, options);
        for (;;)
            ::pause();
    }
    std::vector<process_line> found;
    auto started = co_await eventually(5s,
                                       [&]
                                       {
                                           found = children(middle);
                                           return found.size() == 1 && found[0].name == "sleep";
                                       });
    REQUIRE(started);
    ::kill(middle, SIGKILL);
    ::waitpid(middle, nullptr, 0);
    auto ended = co_await eventually(5s, [&] { return gone(found[0].pid); });

    CHECK(ended);
}
