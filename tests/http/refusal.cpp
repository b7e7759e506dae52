// SPDX-License-Identifier: BSL-1.0
#include <brood/http/refusal.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>

using brood::http::refusal;

TEST_CASE("a refusal has a status for the client, and says why", "[refusal]")
{
    refusal refused(404, "no such book");

    CHECK(refused.status() == 404);
    CHECK(refused.what() == std::string("no such book"));
}

TEST_CASE("a refusal is caught as what it is, and as any other error", "[refusal]")
{
    CHECK_THROWS_AS(throw refusal(400, "bad"), refusal);
    CHECK_THROWS_AS(throw refusal(400, "bad"), std::runtime_error);
}
