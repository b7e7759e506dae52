// SPDX-License-Identifier: BSL-1.0
#include <brood/process/exit_status.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <csignal>
#include <sstream>

using namespace std::chrono_literals;
using brood::exit_status;
using brood::task;

TEST_CASE("an end is told in a sentence", "[exit_status]")
{
    exit_status status;
    status.pid = 4711;
    std::ostringstream printed;
    printed << status;
    CHECK(printed.str() == "process 4711 ended with code 0");

    status.code = 7;
    CHECK(to_string(status) == "process 4711 ended with code 7");

    status.code = 0;
    status.signal = SIGSEGV;
    CHECK(to_string(status) == "process 4711 was ended by SIGSEGV");

    status.core_dumped = true;
    CHECK(to_string(status) == "process 4711 was ended by SIGSEGV (core dumped)");

    status.lost = true;
    CHECK(to_string(status) == "process 4711 ended, and how is not known");

    status = exit_status();
    status.pid = 4711;
    status.undelivered = 1;
    CHECK(to_string(status) == "process 4711 ended with code 0 (1 descriptor undelivered)");

    status.signal = SIGKILL;
    status.undelivered = 2;
    CHECK(to_string(status) == "process 4711 was ended by SIGKILL (2 descriptors undelivered)");

    status = exit_status();
    status.pid = 4711;
    status.code = 255;
    status.why = "host n1: nobody listens there";
    CHECK(to_string(status) == "process 4711 ended with code 255: host n1: nobody listens there");
}

TEST_CASE("only an end with code 0, of which we know, is a success", "[exit_status]")
{
    exit_status status;
    CHECK(status.success());

    status.code = 1;
    CHECK_FALSE(status.success());

    status.code = 0;
    status.signal = SIGTERM;
    CHECK_FALSE(status.success());

    status.signal = 0;
    status.lost = true;
    CHECK_FALSE(status.success());
}

TEST_WITHIN(20s, "every signal that ends a process is told", "[exit_status]")
{
    for (auto signal : {SIGHUP, SIGINT, SIGTERM, SIGKILL, SIGUSR1, SIGALRM, SIGPIPE})
    {
        auto child = brood::test::shell("kill -" + std::to_string(signal) + " $$");
        auto status = co_await child.exit();

        CHECK(status.signal == signal);
        CHECK(status.code == 0);
        CHECK_FALSE(status.core_dumped);
    }
}
