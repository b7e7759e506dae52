// SPDX-License-Identifier: BSL-1.0
#include <brood/process/exec_result.hpp>

#include "support/catch.hpp"

#include <csignal>
#include <sstream>

using brood::exec_limit;
using brood::exec_result;

TEST_CASE("a result is told with the last line of what went wrong", "[exec_result]")
{
    exec_result result;
    result.status.pid = 4711;
    std::ostringstream printed;
    printed << result;
    CHECK(printed.str() == "process 4711 ended with code 0");

    result.status.code = 2;
    result.err = "first\nls: cannot access 'x'\n\n";
    CHECK(to_string(result) == "process 4711 ended with code 2: ls: cannot access 'x'");

    result.err = "one line";
    CHECK(to_string(result) == "process 4711 ended with code 2: one line");
}

TEST_CASE("a result says what limit ended it, and is no success then", "[exec_result]")
{
    exec_result result;
    CHECK(result.success());

    result.limit = exec_limit::output;
    CHECK_FALSE(result.success());
    CHECK(to_string(result) == "process 0 ended with code 0 because it printed too much");

    result.limit = exec_limit::timeout;
    result.status.signal = SIGTERM;
    CHECK(to_string(result) == "process 0 was ended by SIGTERM because it took too long");
}
