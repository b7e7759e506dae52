// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/private_network.hpp>

#include "support/catch.hpp"

#include <string>

using namespace brood::detail;
using Catch::Matchers::ContainsSubstring;

namespace
{

bool is_private_text(const char* text)
{
    auto address = internet_address(text, 0);
    REQUIRE(address);
    return is_private(*address);
}

} // namespace

TEST_CASE("Loopback, link-local and the networks that nobody routes are private",
          "[private_network]")
{
    for (auto text :
         {"127.0.0.1", "127.255.255.255", "10.0.0.1", "10.255.255.255", "172.16.0.1",
          "172.31.255.255", "192.168.0.1", "169.254.1.1", "100.64.0.1", "100.127.255.255", "::1",
          "fe80::1", "febf::1", "fc00::1", "fdff::1", "::ffff:10.0.0.1"})
    {
        INFO(text);
        CHECK(is_private_text(text));
    }
}

TEST_CASE("What anybody may reach, and what stands for every address, is not private",
          "[private_network]")
{
    for (auto text : {"128.0.0.1", "9.255.255.255", "11.0.0.1", "172.15.255.255", "172.32.0.1",
                      "192.167.255.255", "192.169.0.1", "169.253.1.1", "169.255.1.1",
                      "100.63.255.255", "100.128.0.1", "0.0.0.0", "8.8.8.8", "::", "fec0::1",
                      "fe00::1", "2001:db8::1", "::ffff:8.8.8.8", "::10.0.0.1"})
    {
        INFO(text);
        CHECK_FALSE(is_private_text(text));
    }
}

TEST_CASE("A path of this machine is private", "[private_network]")
{
    auto address = read_address("unix:/tmp/brood");
    REQUIRE(address);
    CHECK(is_private(*address));
}

TEST_CASE("Without a word about encryption, only private addresses are taken", "[private_network]")
{
    CHECK_NOTHROW(check_encryption("ssh n1", {"127.0.0.1", "10.1.2.3", "no address"}, {}));
    for (auto said : {true, false})
        CHECK_NOTHROW(check_encryption("ssh n1", {"203.0.113.5"}, said));
    auto text = std::string();
    try
    {
        check_encryption("ssh n1", {"127.0.0.1", "203.0.113.5"}, {});
    }
    catch (const std::invalid_argument& why)
    {
        text = why.what();
    }
    CHECK(text == "brood: workers of ssh n1 would connect to 203.0.113.5, which is not of a "
                  "private network, and nothing would be encrypted: set encrypt to true, or to "
                  "false where something else protects what crosses");
}
