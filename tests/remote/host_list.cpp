// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/host_list.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using brood::host_list;
using brood::remote_host;

namespace
{

remote_host read(const std::string& text)
{
    return host_list{text}.hosts().at(0);
}

/// Why a list was refused; empty when it was not.
std::string refusal(const std::string& text)
{
    try
    {
        read(text);
    }
    catch (const std::invalid_argument& refused)
    {
        return refused.what();
    }
    return "";
}

} // namespace

TEST_CASE("a list of hosts is what one would write", "[remote]")
{
    host_list list{"n1", "n2:8", "me@n3"};

    REQUIRE(list.size() == 3);
    CHECK(list.hosts()[0] == remote_host{"n1", "", 0, 0});
    CHECK(list.hosts()[1] == remote_host{"n2", "", 0, 8});
    CHECK(list.hosts()[2] == remote_host{"n3", "me", 0, 0});
    CHECK(list.hosts()[2].destination() == "me@n3");
    CHECK(to_string(list) == "n1,n2:8,me@n3");
}

TEST_CASE("addresses, ports and domains are read, and written as they are read", "[remote]")
{
    CHECK(read("[::1]:4") == remote_host{"::1", "", 0, 4});
    CHECK(read("me@[fe80::1%eth0]") == remote_host{"fe80::1%eth0", "me", 0, 0});
    CHECK(read("10.0.0.7") == remote_host{"10.0.0.7", "", 0, 0});
    CHECK(read("ssh://user@h:22;cpus=4") == remote_host{"h", "user", 22, 4});
    CHECK(read("ssh://h/") == remote_host{"h", "", 0, 0});
    CHECK(read("ssh://h;cpus=4") == remote_host{"h", "", 0, 4});
    CHECK(read("ssh://[::1]:2222") == remote_host{"::1", "", 2222, 0});
    CHECK(read("me@corp.example@n1.example.org:2") ==
          remote_host{"n1.example.org", "me@corp.example", 0, 2});
    for (auto text : {"n1", "me@n3:8", "[::1]:4", "ssh://me@n3:22;cpus=4", "ssh://[::1]:22"})
        CHECK(to_string(read(text)) == text);
}

TEST_CASE("a list is read from a variable or a file", "[remote]")
{
    CHECK(host_list::parse("n1:4,n2:4") == host_list{"n1:4", "n2:4"});
    CHECK(host_list::parse("# the old ones\nn1:4\r\n\n  n2 # slow, n9\n,n3,") ==
          host_list{"n1:4", "n2", "n3"});
    CHECK(host_list::parse(" \n# none\n").empty());
    CHECK(host_list().empty());
}

TEST_CASE("a host that cannot be meant is refused with its text and the cure", "[remote]")
{
    auto whole = [](const std::string& text)
    {
        return "brood: host \"" + text + "\": ";
    };

    CHECK(refusal("n2:x") ==
          whole("n2:x") + "\"x\" is not how many workers it takes, a number from 1 to 65536");
    CHECK(refusal("n2:0").find("a number from 1 to 65536") != std::string::npos);
    CHECK(refusal("n2:-1").find("a number from 1 to 65536") != std::string::npos);
    CHECK(refusal("n2:").find("\"\" is not how many workers") != std::string::npos);
    CHECK(refusal("n2:99999999999999999999").find("a number from") != std::string::npos);
    CHECK(refusal("ssh://n2:65536") ==
          whole("ssh://n2:65536") +
              "\"65536\" is not the port of its sshd, a number from 1 to 65535");
    CHECK(refusal("::1") == whole("::1") + "an IPv6 address stands in [], as in [::1]:4");
    CHECK(refusal("[::1") == whole("[::1") + "the ] behind the address is missing, as in [::1]:4");
    CHECK(refusal("[::1]4") ==
          whole("[::1]4") + "behind the ] there can only be a colon, as in [::1]:4");
    CHECK(refusal("[n1]") == whole("[n1]") + "[] are for IPv6 addresses: write n1");
    CHECK(refusal("") == whole("") + "the host is missing");
    CHECK(refusal("me@") == whole("me@") + "the host is missing");
    CHECK(refusal("@n1") == whole("@n1") + "the user is missing");
    CHECK(refusal("n1;cpus=4") ==
          whole("n1;cpus=4") + "options are for the long form: write ssh://n1;cpus=4");
    CHECK(refusal("ssh://n1;cpu=4") ==
          whole("ssh://n1;cpu=4") + "\"cpu=4\" is no option; there is cpus=4");
}

TEST_CASE("a host is never taken for an option of ssh, nor for a command", "[remote]")
{
    CHECK(refusal("-oProxyCommand=x") ==
          "brood: host \"-oProxyCommand=x\": a host cannot begin with '-'");
    CHECK(refusal("-l@n1") == "brood: host \"-l@n1\": a user cannot begin with '-'");
    CHECK(refusal("n1 n2").find("a host has no character 32") != std::string::npos);
    for (std::string bad : {"n1`x`", "n1|x", "n1'", "n1\"", "n1\n", "$n1", "n1/x", "a;b@n1"})
        CHECK(refusal(bad) != "");
}

TEST_CASE("a host that is there twice is refused", "[remote]")
{
    std::string why;
    try
    {
        host_list twice{"n1", "n2", "n1:2"};
    }
    catch (const std::invalid_argument& refused)
    {
        why = refused.what();
    }

    CHECK(why == "brood: host \"n1:2\": it is there twice; the number of its workers stands behind "
                 "it, as in n1:2");
    CHECK_NOTHROW(host_list{"n1", "me@n1", "ssh://n1:2222"});
}
