// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/ssh_failure.hpp>

#include "support/catch.hpp"

#include <string>

using brood::remote_host;
using brood::ssh_failure;

namespace
{

std::string why(int code, const std::string& err)
{
    return ssh_failure(remote_host{"n1"}, code, err);
}

} // namespace

TEST_CASE("what ssh says becomes the host, the step and the cure", "[remote]")
{
    CHECK(why(255, "Welcome\nssh: Could not resolve hostname n1: Name or service not known\r\n") ==
          "host n1: its name does not resolve: check it, or name its address in ~/.ssh/config "
          "(ssh: Could not resolve hostname n1: Name or service not known)");
    CHECK(why(255, "me@n1: Permission denied (publickey,password).\n").find("ssh-copy-id") !=
          std::string::npos);
    CHECK(why(255, "ssh: connect to host n1 port 22: Connection timed out").find("firewall") !=
          std::string::npos);
    CHECK(why(255, "Exceeded MaxStartups\r\nkex_exchange_identification: Connection closed")
              .find("logins_at_once") != std::string::npos);
    CHECK(why(255, "Timeout, server n1 not responding.\n").find("the connection was lost") !=
          std::string::npos);
}

TEST_CASE("what the shell there says becomes a cure too", "[remote]")
{
    CHECK(why(127, "/bin/sh: 1: /opt/fib: not found\n") ==
          "host n1: the program is not there: install it at the same path, or let it be copied "
          "(/bin/sh: 1: /opt/fib: not found)");
    CHECK(why(126, "sh: /opt/fib: cannot execute binary file: Exec format error")
              .find("another architecture") != std::string::npos);
    CHECK(why(126, "/bin/sh: 1: /opt/fib: Permission denied").find("chmod +x") !=
          std::string::npos);
    CHECK(why(125, "/bin/sh: 1: cd: can't cd to /x").find("the directory to start in") !=
          std::string::npos);
    CHECK(why(127, "fib: error while loading shared libraries: libx.so.1: cannot open shared "
                   "object file: No such file or directory")
              .find("a library of the program") != std::string::npos);
}

TEST_CASE("the end of a program is no failure of ssh", "[remote]")
{
    CHECK(why(0, "ssh: a word") == "");
    CHECK(why(1, "ssh: Could not resolve hostname") == "");
    CHECK(why(255, "my own last words\n") == "");
    CHECK(why(127, "") == "");
    CHECK(why(255, "") == "");
    // Only the last of what was printed counts.
    CHECK(why(255, "ssh: x\n" + std::string(5'000, '.')) == "");
}

TEST_CASE("a long line is cut", "[remote]")
{
    CHECK(why(255, "ssh: " + std::string(3'000, '.')).size() < 400);
}
