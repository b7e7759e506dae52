// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/placement.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using brood::host_set_aside;
using brood::placement;
using brood::placement_options;
using end = brood::placement::end;

namespace
{

const placement::time_point start{};

/// Where this many workers go, one after the other; 9 for nowhere.
std::vector<std::size_t> taken(placement& of, std::size_t count)
{
    std::vector<std::size_t> hosts;
    while (count-- > 0)
        hosts.push_back(of.next(start).value_or(9));
    return hosts;
}

} // namespace

TEST_CASE("workers are spread by the part of the slots that is taken", "[remote]")
{
    placement hosts({{"n1", 4}, {"n2", 2}});

    CHECK(taken(hosts, 7) == std::vector<std::size_t>{0, 1, 0, 0, 1, 0, 9});
    CHECK(hosts.slots() == 6);
    CHECK(hosts.taken(0) == 4);
    hosts.ended(1, start, end::expected);
    CHECK(hosts.next(start) == 1);
}

TEST_CASE("workers are packed on the first hosts", "[remote]")
{
    placement_options options;
    options.how = placement_options::order::pack;
    placement hosts({{"n1", 2}, {"n2", 2}}, options);

    CHECK(taken(hosts, 3) == std::vector<std::size_t>{0, 0, 1});
    hosts.ended(0, start, end::expected);
    CHECK(hosts.next(start) == 0);
}

TEST_CASE("a worker that died is not replaced on the same host, unless there is no other",
          "[remote]")
{
    placement hosts({{"n1", 2}, {"n2", 1}});
    CHECK(taken(hosts, 1) == std::vector<std::size_t>{0});
    hosts.ended(0, start, end::failed);

    CHECK(hosts.next(start, 0) == 1);
    CHECK(hosts.next(start, 0) == 0);
    CHECK(hosts.next(start, 7) == 0);
    CHECK_FALSE(hosts.next(start, 0));
}

TEST_CASE("a host that fails too often is set aside, told once, and comes back", "[remote]")
{
    placement hosts({{"n1", 8}, {"n2", 8}});
    taken(hosts, 16);
    std::vector<std::optional<host_set_aside>> told;
    for (auto when : {0s, 10s, 20s, 21s, 22s, 23s})
        told.push_back(hosts.ended(0, start + when, end::failed));

    CHECK_FALSE(told[0]);
    CHECK_FALSE(told[1]);
    REQUIRE(told[2]);
    CHECK(to_string(*told[2]) ==
          "host n1 is set aside for 300 s: 3 workers failed there within 60 s");
    for (auto later : {3u, 4u, 5u})
        CHECK_FALSE(told[later]);
    CHECK(hosts.is_set_aside(0, start + 319s));
    CHECK_FALSE(hosts.next(start + 319s));
    CHECK(hosts.next_return(start + 30s) == start + 320s);
    CHECK_FALSE(hosts.next_return(start + 320s));
    CHECK(hosts.next(start + 320s) == 0);
    // With a clean slate.
    CHECK_FALSE(hosts.ended(0, start + 321s, end::failed));
}

TEST_CASE("failures count within their time, and ends that are no failure do not", "[remote]")
{
    placement hosts({{"n1", 8}});
    taken(hosts, 8);

    CHECK_FALSE(hosts.ended(0, start, end::failed));
    CHECK_FALSE(hosts.ended(0, start + 1s, end::expected));
    CHECK_FALSE(hosts.ended(0, start + 59s, end::failed));
    CHECK_FALSE(hosts.ended(0, start + 61s, end::failed));
    CHECK(hosts.ended(0, start + 62s, end::never_online));
}

TEST_CASE("0 failures set no host aside", "[remote]")
{
    placement_options options;
    options.failures = 0;
    placement hosts({{"n1", 9}}, options);
    taken(hosts, 9);

    for (int count = 0; count < 9; ++count)
        CHECK_FALSE(hosts.ended(0, start, end::failed));
    CHECK(hosts.next(start) == 0);
}

TEST_CASE("only so many starts are under way on a host at once", "[remote]")
{
    placement_options options;
    options.starts_at_once = 1;
    placement hosts({{"n1", 3}, {"n2", 3}}, options);

    CHECK(taken(hosts, 3) == std::vector<std::size_t>{0, 1, 9});
    hosts.online(1);
    CHECK(hosts.next(start) == 1);
    hosts.ended(0, start, end::never_online);
    CHECK(hosts.next(start) == 0);
    CHECK_FALSE(hosts.next(start));
}

TEST_CASE("a placement that makes no sense is refused", "[remote]")
{
    placement_options options;
    options.within = 0s;
    placement hosts({{"n1", 1}});

    CHECK_THROWS_AS(options.check(), std::invalid_argument);
    CHECK_THROWS_AS(placement({{"n1", 1}}, options), std::invalid_argument);
    CHECK_THROWS_AS(placement({}), std::invalid_argument);
    CHECK_THROWS_AS(placement({{"n1", 0}}), std::invalid_argument);
    CHECK_THROWS_AS(hosts.online(0), std::logic_error);
    CHECK_THROWS_AS(hosts.ended(0, start, end::expected), std::logic_error);
    CHECK_THROWS_AS(hosts.online(1), std::out_of_range);
}
