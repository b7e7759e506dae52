// SPDX-License-Identifier: BSL-1.0
#include <brood/http/date_clock.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <ctime>
#include <string>

using brood::http::date_clock;
using brood::http::parse_http_date;

TEST_CASE("now() gives the date of this second", "[date_clock]")
{
    date_clock clock;

    auto before = std::time(nullptr);
    auto shown = parse_http_date(clock.now());
    auto after = std::time(nullptr);

    CHECK(shown >= before);
    CHECK(shown <= after);
}

TEST_CASE("the date follows the clock forwards and back", "[date_clock]")
{
    date_clock clock;

    CHECK(clock.at(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(clock.at(1) == "Thu, 01 Jan 1970 00:00:01 GMT");
    CHECK(clock.at(1) == "Thu, 01 Jan 1970 00:00:01 GMT");
    CHECK(clock.at(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(clock.at(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST_CASE("a clock allocates nothing, in a new second neither", "[date_clock]")
{
    date_clock clock;

    auto used = allocated_by(
        [&]
        {
            for (std::time_t second = 0; second < 1000; ++second)
                clock.at(second);
            clock.now();
        });

    CHECK(used.count == 0);
}
