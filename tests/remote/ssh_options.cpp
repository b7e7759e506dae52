// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/ssh_options.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;
using brood::ssh_options;

TEST_CASE("options of ssh fit an sshd as it is installed", "[remote]")
{
    ssh_options options;

    CHECK_NOTHROW(options.check());
    CHECK(options.logins_at_once < 10);
    CHECK(options.sessions_per_connection == 10);
    CHECK(options.alive_interval * options.alive_count == 15s);
}

TEST_CASE("options of ssh that cannot be meant are refused", "[remote]")
{
    ssh_options options;
    SECTION("no program")
    {
        options.program = "";
    }
    SECTION("a cut network that nobody would find out")
    {
        options.alive_interval = 0s;
    }
    SECTION("no question at all")
    {
        options.alive_count = 0;
    }
    SECTION("no time to connect")
    {
        options.connect_timeout = 0s;
    }
    SECTION("no login")
    {
        options.logins_at_once = 0;
    }
    SECTION("connections for nobody")
    {
        options.sessions_per_connection = 0;
    }
    CHECK_THROWS_AS(options.check(), std::invalid_argument);
}
