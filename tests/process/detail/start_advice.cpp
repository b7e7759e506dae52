// SPDX-License-Identifier: BSL-1.0
#include <brood/process/detail/start_advice.hpp>

#include <brood/process/exec.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/scarce_descriptors.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::arguments;
using brood::spawn_error;
using brood::spawn_options;
using brood::task;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace
{

std::string refusal_of(const std::string& program, const arguments& args = {},
                       const spawn_options& options = {})
{
    try
    {
        brood::spawn(program, args, options).kill(SIGKILL);
    }
    catch (const spawn_error& refused)
    {
        return refused.what();
    }
    return "nothing was refused";
}

task<> is_not_there(brood::process&)
{
    co_return;
}

/// A file with this text and mode.
std::string file_in(const temporary_directory& folder, const std::string& text,
                    std::filesystem::perms mode)
{
    auto path = (folder.path() / "program").string();
    std::ofstream(path) << text;
    std::filesystem::permissions(path, mode);
    return path;
}

} // namespace

TEST_WITHIN(10s, "a program that is not found is told with where it was looked for",
            "[start_advice]")
{
    spawn_options options;
    options.env = brood::environment().set("PATH", "/nowhere:/no/more");
    CHECK(refusal_of("fib", {"--fast", "a b"}, options) ==
          "spawn 'fib --fast 'a b'': exec: No such file or directory; it is in no folder of its "
          "PATH, /nowhere:/no/more");
    options.cwd = "/";
    CHECK_THAT(refusal_of("./fib", {}, options), ContainsSubstring("its path is relative to /;"));
    CHECK_THAT(refusal_of("./fib"),
               ContainsSubstring("relative to the working directory of this process;"));
    CHECK_THAT(refusal_of("/fib"), EndsWith("the program in its first line may be missing"));
    co_return;
}

TEST_WITHIN(10s, "a file that cannot be executed is told with what it lacks", "[start_advice]")
{
    namespace fs = std::filesystem;
    temporary_directory folder;
    auto path = file_in(folder, "no program", fs::perms::owner_read | fs::perms::owner_write);
    CHECK_THAT(refusal_of(path), EndsWith("chmod +x"));
    fs::permissions(path, fs::perms::owner_all);
    CHECK_THAT(refusal_of(path), EndsWith("#!/bin/sh"));
    CHECK_THAT(refusal_of("true", {std::string(1 << 22, 'x')}),
               EndsWith("send them by stdin, a file or a message"));
    co_return;
}

TEST_WITHIN(10s, "an error shows no more of the arguments than one reads, and no zero byte ends it",
            "[start_advice]")
{
    auto many = refusal_of("./fib", {std::string(1000, 'x')});
    CHECK(many.size() < 500);
    CHECK_THAT(many, ContainsSubstring("xxx...': exec: "));
    using namespace std::string_literals;
    CHECK(refusal_of("./fib", {"a\0b"s}) ==
          "spawn './fib a?b': arguments with a zero byte: Invalid argument");
    co_return;
}

TEST_WITHIN(10s, "what only root may do, and a folder that is missing, is told as such",
            "[start_advice]")
{
    using brood::detail::advice_for;
    CHECK_THAT(advice_for("ids", EPERM), StartsWith("only root"));
    CHECK_THAT(advice_for("limits", EPERM), StartsWith("only root"));
    CHECK_THAT(advice_for("group", EPERM), ContainsSubstring("session"));
    CHECK_THAT(advice_for("fork", EAGAIN), ContainsSubstring("RLIMIT_NPROC"));
    CHECK(advice_for("fork", EPERM).empty());
    spawn_options options;
    options.cwd = "/nowhere";
    CHECK_THAT(refusal_of("true", {}, options), EndsWith("be there before the start"));
    co_return;
}

TEST_WITHIN(10s, "a command of exec is told as it was given, with the step and what to do",
            "[start_advice]")
{
    std::string said, entry;
    brood::exec_options nowhere;
    nowhere.cwd("/nowhere");
    try
    {
        co_await brood::exec("ls | wc -l", nowhere);
    }
    catch (const spawn_error& refused)
    {
        said = refused.what();
        CHECK(refused.program() == "/bin/sh");
    }
    CHECK(said == "spawn 'ls | wc -l': cwd '/nowhere': No such file or directory; the folder must "
                  "be there before the start");
}

TEST_WITHIN(10s, "an entry that cannot be started is told by its name", "[start_advice]")
{
    spawn_options options;
    options.cwd = "/nowhere";
    std::string said;
    try
    {
        brood::fork_with<is_not_there>(options);
    }
    catch (const spawn_error& refused)
    {
        said = refused.what();
    }
    CHECK_THAT(said, ContainsSubstring(": is_not_there': cwd '/nowhere'"));
    co_return;
}

TEST_WITHIN(10s, "without a descriptor left, the limit is told", "[start_advice]")
{
    co_await brood::sleep(0ms); // the loop has its own descriptors from here on
    spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    auto taken = all_but(0);
    auto said = refusal_of("true", {}, options);
    taken.clear();
    CHECK_THAT(said, EndsWith("raise RLIMIT_NOFILE (ulimit -n)"));
}
