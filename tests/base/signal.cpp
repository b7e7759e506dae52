// SPDX-License-Identifier: BSL-1.0
#include <brood/base/signal.hpp>

#include "support/catch.hpp"

using namespace brood;

TEST_CASE("a signal has the name that signal(7) gives it", "[signal]")
{
    CHECK(signal_name(SIGTERM) == "SIGTERM");
    CHECK(signal_name(SIGKILL) == "SIGKILL");
    CHECK(signal_name(SIGHUP) == "SIGHUP");
}

TEST_CASE("a signal without a name is called by its number", "[signal]")
{
    CHECK(signal_name(60) == "signal 60");
    CHECK(signal_name(0) == "signal 0");
}

TEST_CASE("a signal is found by its name, with or without SIG", "[signal]")
{
    CHECK(signal_number("SIGUSR1") == SIGUSR1);
    CHECK(signal_number("USR1") == SIGUSR1);
    CHECK_FALSE(signal_number("SIGNOTHING"));
    CHECK_FALSE(signal_number("sigterm"));
    CHECK_FALSE(signal_number(""));
}

TEST_CASE("every name leads back to its number", "[signal]")
{
    for (int number = 1; number < 32; ++number)
        if (auto name = signal_name(number); name.rfind("SIG", 0) == 0)
            CHECK(signal_number(name) == number);
}
