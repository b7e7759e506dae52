// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/reverse_forward.hpp>

#include "support/catch.hpp"

#include <string>

using brood::allocated_port;
using brood::reverse_forward;

TEST_CASE("a way back is written as ssh takes it", "[remote]")
{
    reverse_forward way;
    way.local_port = 7000;

    CHECK(to_string(way) == "127.0.0.1:0:127.0.0.1:7000");
    way.remote_port = 81;
    way.local_host = "::1";
    CHECK(to_string(way) == "127.0.0.1:81:[::1]:7000");
    way.local_path = "/run/here";
    CHECK(to_string(way) == "127.0.0.1:81:/run/here");
    way.remote_path = "/tmp/there";
    CHECK(to_string(way) == "/tmp/there:/run/here");
}

TEST_CASE("the port that sshd chose is found in what ssh says", "[remote]")
{
    CHECK(allocated_port("hello\nAllocated port 41231 for remote forward to 127.0.0.1:7000\r\n") ==
          41231);
    CHECK(allocated_port("41231\n") == 41231);
    CHECK(allocated_port("41231") == 41231);
    for (auto none : {"", "\n", "0\n", "65536\n", "x", "41231 of", "Allocated port ",
                      "Allocated port 412", "Warning: remote port forwarding failed"})
        CHECK_FALSE(allocated_port(none));
}
