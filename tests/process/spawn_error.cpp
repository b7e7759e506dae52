// SPDX-License-Identifier: BSL-1.0
#include <brood/process/spawn_error.hpp>

#include "support/catch.hpp"

#include <cerrno>

using brood::spawn_error;

TEST_CASE("a start that failed names the program, the step and the reason", "[spawn_error]")
{
    spawn_error missing(ENOENT, "./fib", "exec");
    CHECK(missing.what() == std::string("spawn './fib': exec: No such file or directory"));
    CHECK(missing.program() == "./fib");
    CHECK(missing.step() == "exec");
    CHECK(missing.code() == std::errc::no_such_file_or_directory);

    spawn_error nowhere(ENOENT, "./fib", "cwd", "'/nowhere'");
    CHECK(nowhere.what() ==
          std::string("spawn './fib': cwd '/nowhere': No such file or directory"));
}

TEST_CASE("a start that failed says how it was called, and what to do", "[spawn_error]")
{
    spawn_error missing(ENOENT, "./fib", "exec", {}, "./fib --fast 7", "build it first");
    CHECK(missing.what() ==
          std::string("spawn './fib --fast 7': exec: No such file or directory; build it first"));
    CHECK(missing.program() == "./fib");

    auto copy = missing;
    CHECK(copy.what() == std::string(missing.what()));
}

TEST_CASE("a start that failed is caught as an error of the system", "[spawn_error]")
{
    try
    {
        throw spawn_error(EACCES, "x", "exec");
    }
    catch (const std::system_error& error)
    {
        CHECK(error.code() == std::errc::permission_denied);
        return;
    }
    FAIL("not caught");
}
