// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/strategy.hpp>

#include "support/catch.hpp"

using brood::first_restarted;
using brood::strategy;

TEST_CASE("a strategy says who is restarted with a child that ended", "[strategy]")
{
    CHECK(first_restarted(strategy::one_for_one, 2) == 2);
    CHECK(first_restarted(strategy::rest_for_one, 2) == 2);
    CHECK(first_restarted(strategy::one_for_all, 2) == 0);
}
