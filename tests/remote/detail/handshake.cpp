// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/handshake.hpp>

#include <brood/remote/detail/build_id.hpp>
#include <brood/remote/detail/far_address.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace brood::detail;

namespace
{

std::string hex_of(const proof& one)
{
    return to_hex(one);
}

secret filled(unsigned value)
{
    secret result;
    result.fill(static_cast<std::byte>(value));
    return result;
}

} // namespace

TEST_CASE("A proof is HMAC-SHA-256, over all texts behind each other", "[handshake]")
{
    // RFC 4231 test case 1 has a key of 20 bytes; with zeros behind it is the same for HMAC.
    secret key{};
    for (std::size_t index = 0; index < 20; ++index)
        key[index] = std::byte{0x0b};
    auto expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    CHECK(hex_of(prove(key, {bytes_of("Hi There")})) == expected);
    CHECK(hex_of(prove(key, {bytes_of("Hi "), bytes_of("There")})) == expected);
}

TEST_CASE("The proofs of both sides differ, and with every nonce and secret", "[handshake]")
{
    nonces both{filled(1), filled(2)};
    auto shared = filled(3);
    auto what = bytes_of("n1");
    auto ours = both.of_the_primary(shared);
    CHECK(is_same(ours, both.of_the_primary(shared)));
    CHECK_FALSE(is_same(ours, both.of_the_worker(shared, what)));
    CHECK_FALSE(is_same(ours, both.of_the_primary(filled(4))));
    nonces swapped{filled(2), filled(1)};
    CHECK_FALSE(is_same(ours, swapped.of_the_primary(shared)));
    CHECK_FALSE(is_same(both.of_the_worker(shared, what), swapped.of_the_worker(shared, what)));
    CHECK_FALSE(
        is_same(both.of_the_worker(shared, what), both.of_the_worker(shared, bytes_of("n2"))));
}

TEST_CASE("A knock is read as it was written, and nothing else is one", "[handshake]")
{
    knock one{name_of_secret(filled(1)), filled(2)};
    auto bytes = to_bytes(one);
    auto read = read_knock(bytes);
    REQUIRE(read);
    CHECK(read->name == one.name);
    CHECK(read->nonce == one.nonce);
    for (std::size_t place = 0; place < 12; ++place) // magic and version
    {
        auto other = bytes;
        other[place] ^= std::byte{1};
        CHECK_FALSE(read_knock(other));
    }
}

TEST_CASE("A list of texts is read as it was written; cut off it is none", "[handshake]")
{
    std::vector<std::string> texts{"a", "", std::string(3, '\0'), "long enough"};
    auto block = to_block(texts);
    CHECK(read_block(block) == texts);
    CHECK(read_block("") == std::vector<std::string>());
    CHECK_FALSE(read_block(std::string_view(block).substr(0, block.size() - 1)));
    CHECK_FALSE(read_block(std::string_view("\xff\xff\xff\xff", 4)));
    CHECK_FALSE(read_block("abc"));
}

TEST_CASE("An endpoint is an address and a port, or a path", "[handshake]")
{
    auto four = read_address("tcp:127.0.0.1:7000");
    REQUIRE(four);
    CHECK(four->family() == AF_INET);
    auto six = read_address(to_endpoint("::1", 7000));
    REQUIRE(six);
    CHECK(six->family() == AF_INET6);
    CHECK(to_endpoint("::1", 7000) == "tcp:[::1]:7000");
    auto local = read_address("unix:/tmp/x");
    REQUIRE(local);
    CHECK(local->family() == AF_UNIX);
    for (auto text :
         {"", "tcp:", "tcp:127.0.0.1", "tcp:127.0.0.1:", "tcp:127.0.0.1:0", "tcp:127.0.0.1:65536",
          "tcp:127.0.0.1:7x", "tcp:n1:7000", "unix:", "udp:::1:1", "tcp:7000"})
        CHECK_FALSE(read_address(text));
    CHECK_FALSE(read_address("unix:" + std::string(200, 'x')));
}

TEST_CASE("This program has a build id, when its linker gives one, and always the same",
          "[handshake]")
{
    auto id = build_id();
    CHECK(id == build_id());
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
}
