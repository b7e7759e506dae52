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

    result.err = "10 %\r20 %\rstopped\r\n";
    CHECK(to_string(result) == "process 4711 ended with code 2: stopped");

    result.err = "\n\n";
    CHECK(to_string(result) == "process 4711 ended with code 2");
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

TEST_CASE("a result names its command, and what goes on of it", "[exec_result]")
{
    exec_result result;
    result.status.pid = 12;
    result.command = "sudo make";
    result.limit = exec_limit::timeout;
    result.left_running = "send SIGTERM to process 12: Operation not permitted";
    CHECK(to_string(result) == "process 12 (sudo make) ended with code 0 because it took too long, "
                               "and left a process running: send SIGTERM to process 12: Operation "
                               "not permitted");

    result.status.lost = true;
    CHECK(to_string(result) == "process 12 (sudo make) still runs although it took too long: send "
                               "SIGTERM to process 12: Operation not permitted");

    result.command = std::string(1000, 'x');
    CHECK(to_string(result).size() < 400);
}

TEST_CASE("a line without end does not fill the log", "[exec_result]")
{
    exec_result result;
    result.err = "begin" + std::string(1 << 20, 'x');
    auto text = to_string(result);
    CHECK(text.size() < 400);
    CHECK(text.find("begin") != std::string::npos);
    CHECK(text.ends_with("..."));
}

TEST_CASE("a limit can be printed", "[exec_result]")
{
    std::ostringstream printed;
    printed << exec_limit::none << ", " << exec_limit::timeout << ", " << exec_limit::output;
    CHECK(printed.str() == "nothing, it took too long, it printed too much");
}
