// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/worker_protocol.hpp>

#include "support/catch.hpp"

#include <string>

using namespace brood::detail;

TEST_CASE("which worker a process is survives the environment", "[worker_protocol]")
{
    worker_identity who{18446744073709551615U, 4294967295U};

    CHECK(to_string(worker_identity{7, 2}) == "7.2");
    CHECK(to_worker_identity(to_string(who)) == who);
    CHECK(to_worker_identity("nonsense") == worker_identity{});
}

TEST_CASE("a request to listen crosses whole", "[worker_protocol]")
{
    listen_request wanted;
    wanted.number = 3;
    wanted.family = 10;
    wanted.address = std::string("\0\1", 2);
    wanted.index = 4;
    wanted.reuse_port = true;
    wanted.mode = 0777;
    brood::buffer bytes;
    brood::encode(bytes, wanted);
    auto copy = brood::decode<listen_request>(bytes.data());

    CHECK(copy.number == 3);
    CHECK(copy.family == 10);
    CHECK(copy.address == wanted.address);
    CHECK(copy.index == 4);
    CHECK(copy.reuse_port);
    CHECK_FALSE(copy.v6_only);
    CHECK(copy.mode == 0777);
}
