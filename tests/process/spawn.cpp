// SPDX-License-Identifier: BSL-1.0
#include <brood/process/spawn.hpp>

#include <brood/base/loop.hpp>
#include <brood/process/detail/launch_steps.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/leftovers.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::arguments;
using brood::environment;
using brood::spawn;
using brood::spawn_error;
using brood::spawn_options;
using brood::stdio;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// The error of a start that must fail; nothing of the attempt may be left.
spawn_error refused(const std::string& program, const arguments& args = {},
                    const spawn_options& options = {})
{
    std::optional<spawn_error> thrown;
    within(10s,
           [&]() -> task<>
           {
               co_await brood::sleep(0ms); // from here on the loop has its own descriptors
               leftovers before;
               try
               {
                   auto child = spawn(program, args, options);
                   child.kill(SIGKILL);
               }
               catch (const spawn_error& what)
               {
                   thrown = what;
               }
               CHECK(before.sentences() == std::vector<std::string>{});
           });
    REQUIRE(thrown);
    CHECK(thrown->program() == program);
    CHECK_THAT(thrown->what(), ContainsSubstring("spawn '" + program.substr(0, 4)));
    return *thrown;
}

/// The numbers of the descriptors that a child finds open. `ls` opens the directory as the lowest
/// free one, which counts.
task<std::string> descriptors_of_child(spawn_options options)
{
    options.stdout_ = stdio::pipe();
    auto child = spawn("ls", {"/proc/self/fd"}, options);
    std::string numbers;
    for (;;)
    {
        auto line = co_await child.out().read_line();
        if (!line)
            break;
        numbers += *line + ' ';
    }
    co_await child.exit();
    co_return numbers;
}

task<std::string> second_word(brood::child_process child)
{
    auto line = co_await child.out().read_line();
    co_await child.exit();
    auto tab = line ? line->find('\t') : std::string::npos;
    co_return tab == std::string::npos ? "no line" : line->substr(tab + 1);
}

/// One line of the child's /proc/self/status, without its name.
task<std::string> status_line(const std::string& name, spawn_options& options)
{
    options.stdout_ = stdio::pipe();
    return second_word(spawn("grep", {"^" + name + ":", "/proc/self/status"}, options));
}

} // namespace

TEST_WITHIN(10s, "the exit code of a program is what it returned", "[spawn]")
{
    for (int code : {0, 1, 7, 127, 255})
    {
        auto child = shell("exit " + std::to_string(code));
        auto pid = child.pid();
        auto status = co_await child.exit();

        CHECK(status.pid == pid);
        CHECK(status.code == code);
        CHECK(status.signal == 0);
        CHECK(status.success() == (code == 0));
        CHECK_FALSE(status.lost);
    }
}

TEST_WITHIN(10s, "the signal that ended a program is not made a code", "[spawn]")
{
    for (int number : {SIGTERM, SIGKILL, SIGUSR1, SIGPIPE, SIGHUP})
    {
        auto child = shell("kill -" + std::to_string(number) + " $$; exit 3");
        auto status = co_await child.exit();

        CHECK(status.signal == number);
        CHECK(status.code == 0);
        CHECK_FALSE(status.success());
    }
}

TEST_WITHIN(20s, "an end says what the program used", "[spawn]")
{
    auto child = shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    auto status = co_await child.exit();

    CHECK(status.user_time + status.system_time > 1ms);
    CHECK(status.max_rss > 100000);
}

TEST_CASE("a program that is missing fails at exec", "[spawn]")
{
    auto plain = refused("brood-no-such-program");
    auto path = refused("/nowhere/program");

    CHECK(plain.step() == "exec");
    CHECK(plain.code() == std::errc::no_such_file_or_directory);
    CHECK(path.step() == "exec");
    CHECK(path.code() == std::errc::no_such_file_or_directory);
}

TEST_CASE("a file that is no program fails at exec", "[spawn]")
{
    temporary_directory folder;

    auto not_executable = refused(folder.write("data", "text"));
    auto script = folder.write("script", "#!/nowhere/interpreter\n");
    auto no_interpreter = refused(script);
    auto directory = refused(folder.path().string());

    CHECK(not_executable.step() == "exec");
    CHECK(not_executable.code() == std::errc::permission_denied);
    CHECK(no_interpreter.code() == std::errc::no_such_file_or_directory);
    CHECK(directory.code() == std::errc::permission_denied);
}

TEST_CASE("a directory that is missing fails at cwd and is named", "[spawn]")
{
    spawn_options options;
    options.cwd = "/nowhere/at/all";

    auto thrown = refused("true", {}, options);

    CHECK(thrown.step().starts_with("cwd"));
    CHECK(thrown.code() == std::errc::no_such_file_or_directory);
    CHECK_THAT(thrown.what(), ContainsSubstring("/nowhere/at/all"));
}

TEST_CASE("a zero byte is refused in every text", "[spawn]")
{
    std::string zero("a\0b", 3);
    spawn_options directory, name;
    directory.cwd = zero;
    name.argv0 = zero;

    CHECK(refused("true", {zero}).code() == std::errc::invalid_argument);
    CHECK(refused("true", {}, directory).code() == std::errc::invalid_argument);
    CHECK(refused("true", {}, name).code() == std::errc::invalid_argument);
    CHECK(refused("").code() == std::errc::invalid_argument);
}

TEST_CASE("a descriptor that is not open fails at stdio", "[spawn]")
{
    spawn_options options;
    options.descriptors.emplace(900, stdio::inherit());

    auto thrown = refused("true", {}, options);

    CHECK(thrown.step().starts_with("stdio"));
    CHECK(thrown.code() == std::errc::bad_file_descriptor);
    CHECK_THAT(thrown.what(), ContainsSubstring("900"));
}

TEST_CASE("a file that cannot be opened fails at stdio and is named", "[spawn]")
{
    spawn_options options;
    options.stdin_ = stdio::read("/nowhere/input");

    auto thrown = refused("true", {}, options);

    CHECK(thrown.step().starts_with("stdio"));
    CHECK(thrown.code() == std::errc::no_such_file_or_directory);
    CHECK_THAT(thrown.what(), ContainsSubstring("/nowhere/input"));
}

TEST_CASE("a limit above what is allowed fails at limits", "[spawn]")
{
    spawn_options options;
    options.limits[RLIMIT_NOFILE] = rlimit{20, 10}; // the soft one is above the hard one

    auto thrown = refused("true", {}, options);

    CHECK(thrown.step() == "limits");
    CHECK(thrown.code() == std::errc::invalid_argument);
}

TEST_CASE("ids that need privileges fail at ids", "[spawn]")
{
    auto root = ::geteuid() == 0;
    if (root)
        REQUIRE(::seteuid(65534) == 0);
    spawn_options options;
    options.uid = 1;
    options.groups = std::vector<gid_t>{0};

    auto thrown = refused("true", {}, options);

    if (root)
        REQUIRE(::seteuid(0) == 0);
    CHECK(thrown.step() == "ids");
    CHECK(thrown.code() == std::errc::operation_not_permitted);
}

TEST_CASE("root gives a child another user, group and no further groups", "[spawn]")
{
    if (::geteuid() != 0)
    {
        WARN("needs root");
        return;
    }
    within(10s,
           []() -> task<>
           {
               spawn_options options;
               options.uid = 65534;
               options.gid = 65533;
               auto users = co_await status_line("Uid", options);
               auto group = co_await status_line("Gid", options);
               auto groups = co_await status_line("Groups", options);

               CHECK(users == "65534\t65534\t65534\t65534");
               CHECK(group == "65533\t65533\t65533\t65533");
               CHECK(groups.find_first_not_of(' ') == std::string::npos);
               CHECK(::geteuid() == 0);
           });
}

TEST_CASE("a child with another user has no groups of ours, also when we are not root", "[spawn]")
{
    if (::geteuid() != 0)
    {
        WARN("needs root");
        return;
    }
    std::string groups;
    auto start_as_somebody_else = [&]() -> task<>
    {
        spawn_options options;
        options.uid = 65534;
        options.gid = 65533;
        groups = co_await status_line("Groups", options);
    };
    // Ids and capabilities are those of a thread, for the kernel.
    auto with_capabilities = [&]
    {
        gid_t ours[] = {4711, 4712};
        ::syscall(SYS_setgroups, 2, ours);
        ::prctl(PR_SET_KEEPCAPS, 1);
        ::syscall(SYS_setresuid, 1234, 1234, 1234);
        __user_cap_header_struct version{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct kept[2] = {};
        kept[0].effective = kept[0].permitted = 1u << CAP_SETUID | 1u << CAP_SETGID;
        ::syscall(SYS_capset, &version, kept);
        asio::io_context loop;
        brood::default_executor_scope scope(loop.get_executor());
        asio::co_spawn(loop, start_as_somebody_else, asio::detached);
        loop.run();
    };
    groups = "never started";
    std::thread(with_capabilities).join();
    ::prctl(PR_SET_DUMPABLE, 1); // which the thread's change of ids took away

    CHECK(groups.find_first_not_of(' ') == std::string::npos);
}

TEST_CASE("a child with another user leaves us what we dump", "[spawn]")
{
    if (::geteuid() != 0)
    {
        WARN("needs root");
        return;
    }
    within(10s,
           []() -> task<>
           {
               REQUIRE(::prctl(PR_GET_DUMPABLE) == 1);
               spawn_options options;
               options.uid = 65534;
               auto child = spawn("true", {}, options);
               co_await child.exit();

               CHECK(::prctl(PR_GET_DUMPABLE) == 1);
           });
}

TEST_WITHIN(10s, "a child gets exactly its three descriptors, whatever is open here", "[spawn]")
{
    std::vector<brood::descriptor> opened;
    for (int count = 0; count < 50; ++count)
        opened.emplace_back(::socket(AF_UNIX, SOCK_STREAM, 0)); // without close-on-exec
    brood::descriptor high(::fcntl(opened[0].get(), F_DUPFD, 700));
    REQUIRE(high);

    spawn_options options;
    auto numbers = co_await descriptors_of_child(options);

    CHECK(numbers == "0 1 2 3 "); // 3 is the directory that ls reads
}

TEST_WITHIN(10s, "further descriptors come under their numbers and no others", "[spawn]")
{
    spawn_options options;
    options.descriptors.emplace(5, stdio::ignore());
    options.descriptors.emplace(9, stdio::pipe());
    auto numbers = co_await descriptors_of_child(options);

    CHECK(numbers == "0 1 2 3 5 9 ");
}

TEST_WITHIN(10s, "descriptors that swap their numbers arrive as asked", "[spawn]")
{
    temporary_directory folder;
    auto open = [](const std::string& path)
    {
        return brood::descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    };
    auto first = open(folder.write("first", "first\n"));
    auto second = open(folder.write("second", "second\n"));
    auto low = first.get(), high = second.get();
    REQUIRE(low > 2);
    REQUIRE(high < 10);
    spawn_options options;
    options.descriptors.emplace(high, stdio::from(std::move(first)));
    options.descriptors.emplace(low, stdio::from(std::move(second)));
    auto script = "cat <&" + std::to_string(low) + "; cat <&" + std::to_string(high);
    auto text = co_await printed(script, options);

    CHECK(text == "second\nfirst\n");
}

TEST_CASE("a child starts with default signals and nothing blocked", "[spawn]")
{
    struct sigaction before
    {
    }, ignore{};
    ignore.sa_handler = SIG_IGN;
    REQUIRE(::sigaction(SIGPIPE, &ignore, &before) == 0);
    sigset_t blocked, mask;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &mask) == 0);

    within(10s,
           []() -> task<>
           {
               spawn_options options;
               auto ignored = co_await status_line("SigIgn", options);
               auto held = co_await status_line("SigBlk", options);

               CHECK(ignored == "0000000000000000");
               CHECK(held == "0000000000000000");
           });

    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, &mask, &now);
    CHECK(::sigismember(&now, SIGTERM) == 1);
    ::sigaction(SIGPIPE, &before, &ignore);
    CHECK(ignore.sa_handler == SIG_IGN);
}

TEST_WITHIN(20s, "a hangup that is ignored since this program was started stays ignored", "[spawn]")
{
    auto alive = []() -> task<bool>
    {
        auto child = brood::test::shell("kill -HUP $$; exit 3");
        auto status = co_await child.exit();
        co_return status.code == 3;
    };
    auto before = std::signal(SIGHUP, SIG_IGN);
    auto ours = co_await alive();
    auto started = std::exchange(brood::detail::started_without_hangup, true);
    auto inherited = co_await alive();
    std::signal(SIGHUP, SIG_DFL);
    auto changed = co_await alive();
    brood::detail::started_without_hangup = started;
    std::signal(SIGHUP, before);

    CHECK_FALSE(ours);
    CHECK(inherited);
    CHECK_FALSE(changed);
}

TEST_CASE("a program that somebody still writes to is waited for", "[spawn]")
{
    temporary_directory folder;
    auto program = folder.path() / "true";
    std::filesystem::copy_file("/bin/true", program);
    within(20s,
           [&]() -> task<>
           {
               for (int round = 0; round < 10; ++round)
               {
                   brood::descriptor open(::open(program.c_str(), O_WRONLY | O_CLOEXEC));
                   auto writer = ::fork();
                   if (writer == 0)
                   {
                       ::usleep(10'000);
                       ::_exit(0);
                   }
                   open.reset();
                   std::string refused;
                   try
                   {
                       auto child = brood::spawn(program.string());
                       co_await child.exit();
                   }
                   catch (const brood::spawn_error& failed)
                   {
                       refused = failed.what();
                   }
                   auto has_ended = ::waitpid(writer, nullptr, WNOHANG) == writer;
                   if (has_ended) // or it was too long
                       CHECK(refused == "");
                   else
                       ::waitpid(writer, nullptr, 0);
               }
           });
}

TEST_CASE("a program that a thread of this process writes to is waited for", "[spawn]")
{
    using clock = std::chrono::steady_clock;
    temporary_directory folder;
    auto program = folder.path() / "true";
    std::filesystem::copy_file("/bin/true", program);
    within(20s,
           [&]() -> task<>
           {
               for (int round = 0; round < 10; ++round)
               {
                   brood::descriptor open(::open(program.c_str(), O_WRONLY | O_CLOEXEC));
                   clock::time_point closed;
                   auto begun = clock::now();
                   std::thread writer(
                       [&]
                       {
                           std::this_thread::sleep_for(10ms);
                           open.reset();
                           closed = clock::now();
                       });
                   std::string refused;
                   try
                   {
                       auto child = brood::spawn(program.string());
                       co_await child.exit();
                   }
                   catch (const brood::spawn_error& failed)
                   {
                       refused = failed.what();
                   }
                   writer.join();
                   if (closed - begun < 60ms) // or it may have been too long
                       CHECK(refused == "");
               }
           });
}

TEST_WITHIN(10s, "a program without a slash is searched in the PATH of the child", "[spawn]")
{
    temporary_directory folder;
    folder.write("brood-test-tool", "#!/bin/sh\nexit 42\n");
    spawn_options options;
    options.env = environment().set("PATH", "/nowhere:" + folder.path().string());
    auto child = spawn("brood-test-tool", {}, options);
    auto status = co_await child.exit();

    CHECK(status.code == 42);
}

TEST_CASE("threads start children at the same time, each on a loop of its own", "[spawn]")
{
    leftovers before;
    std::array<int, 4> sums{};
    std::vector<std::thread> threads;
    for (auto& sum : sums)
        threads.emplace_back(
            [&sum]
            {
                asio::io_context loop(1);
                brood::default_executor_scope scope(loop.get_executor());
                auto body = [](int& result) -> task<>
                {
                    for (int code = 1; code <= 10; ++code)
                    {
                        auto child = shell("exit " + std::to_string(code));
                        auto status = co_await child.exit();
                        result += status.code;
                    }
                };
                asio::co_spawn(loop, body(sum), asio::detached);
                loop.run_for(patient(30s));
            });
    for (auto& thread : threads)
        thread.join();

    CHECK(sums == std::array<int, 4>{55, 55, 55, 55});
    CHECK(before.sentences() == std::vector<std::string>{});
}

TEST_WITHIN(60s, "hundreds of children leave nothing behind", "[spawn]")
{
    std::size_t after_first = 0;
    for (int count = 0; count < 500; ++count)
    {
        auto child = spawn("true");
        auto status = co_await child.exit();
        REQUIRE(status.success());
        if (count == 0)
            after_first = open_descriptors().size();
    }

    CHECK(open_descriptors().size() <= after_first);
    CHECK(children().empty());
}
