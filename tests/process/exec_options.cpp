// SPDX-License-Identifier: BSL-1.0
#include <brood/process/exec_options.hpp>

#include <brood/process/exec.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <string>

using namespace std::chrono_literals;
using brood::exec;
using brood::exec_limit;
using brood::exec_options;
using brood::stop_policy;
using brood::task;

TEST_CASE("options are named one after the other", "[exec_options]")
{
    auto options = exec_options().input("text").timeout(2s).max_output(10);

    CHECK(options.input() == "text");
    CHECK(options.start().timeout == 2s);
    CHECK(options.max_output() == 10);
    CHECK(exec_options().max_output() == 16 << 20);
    CHECK_FALSE(exec_options().input());

    auto started = exec_options().cwd("/").env(brood::environment::only()).stop(stop_policy(1s));
    CHECK(started.start().cwd == "/");
    CHECK(started.start().env == brood::environment::only());
    CHECK(started.start().stop == stop_policy(1s));
}

TEST_CASE("what was named before stays as it was", "[exec_options]")
{
    brood::spawn_options start;
    start.argv0 = "name";
    exec_options first(start);
    auto second = first;
    second.cwd("/tmp").timeout(1s);

    CHECK(first.start().argv0 == "name");
    CHECK(second.start().argv0 == "name");
    CHECK(first.start().cwd.empty());
    CHECK_FALSE(first.start().timeout);
    CHECK(start.cwd.empty());
}

TEST_WITHIN(10s, "options may stand beside the await", "[exec_options]")
{
    for (int round = 0; round < 3; ++round)
    {
        auto result = co_await exec("cat", exec_options().input("beside the await").timeout(5s));
        CHECK(result.out == "beside the await");
    }
}

TEST_WITHIN(10s, "a command runs in the directory and with the variables that are asked for",
            "[exec_options][node-17][node-19]")
{
    brood::test::temporary_directory folder;
    auto options =
        exec_options()
            .cwd(folder.path())
            .env(brood::environment::only({{"ONLY", "this"}, {"PATH", "/usr/bin:/bin"}}));
    auto where = co_await exec("pwd -P", options);
    auto what = co_await brood::exec_file("env", {}, options);

    CHECK(where.out == std::filesystem::canonical(folder.path()).string() + "\n");
    CHECK(what.out == "ONLY=this\nPATH=/usr/bin:/bin\n");
}

TEST_WITHIN(10s, "a listener hears each piece while the result is collected",
            "[exec_options][node-23][node-24]")
{
    std::string out, err;
    exec_options options;
    options.on_out([&](std::string_view piece) { out += piece; });
    options.on_err([&](std::string_view piece) { err += piece; });
    auto result = co_await exec("echo 1; sleep 0.01; echo 2; echo no >&2; exit 1", options);

    CHECK(result.out == "1\n2\n");
    CHECK(out == result.out);
    CHECK(err == "no\n");
    CHECK(err == result.err);
}

TEST_WITHIN(10s, "what a listener throws ends the command and reaches the caller", "[exec_options]")
{
    exec_options options;
    options.on_out([](std::string_view) { throw std::domain_error("enough"); });
    std::string text;
    try
    {
        co_await exec("echo x; sleep 1000", options);
    }
    catch (const std::domain_error& thrown)
    {
        text = thrown.what();
    }
    CHECK(text == "enough");
}
