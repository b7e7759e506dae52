// SPDX-License-Identifier: BSL-1.0
#include <brood/base/internal/random_fraction.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

using brood::detail::random_fraction;
using brood::detail::random_fraction_of;

TEST_CASE("a random fraction spreads evenly over what is at least 0 and less than 1",
          "[random_fraction]")
{
    std::array<int, 10> tenths{};
    for (std::uint64_t key = 0; key < 10'000; ++key)
    {
        auto one = random_fraction_of(key);
        REQUIRE(one >= 0);
        REQUIRE(one < 1);
        ++tenths[static_cast<std::size_t>(one * 10)];
    }

    CHECK(*std::min_element(tenths.begin(), tenths.end()) > 850);
    CHECK(*std::max_element(tenths.begin(), tenths.end()) < 1'150);
}

TEST_CASE("the random fraction of a key is always the same", "[random_fraction]")
{
    static_assert(random_fraction_of(7) == random_fraction_of(7));
    static_assert(random_fraction_of(7) != random_fraction_of(8));
    constexpr std::uint64_t first = 0xe220a8397b1dcdaf; // of SplitMix64 with the seed 0
    CHECK(random_fraction_of(0) * 0x1p53 == static_cast<double>(first >> 11));
}

TEST_CASE("a random fraction is another each time", "[random_fraction]")
{
    std::set<double> seen;
    for (int draw = 0; draw < 100; ++draw)
    {
        auto one = random_fraction();
        REQUIRE(one >= 0);
        REQUIRE(one < 1);
        seen.insert(one);
    }

    CHECK(seen.size() == 100);
}
