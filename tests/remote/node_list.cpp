// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/node_list.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

using brood::expand_counts;
using brood::expand_nodes;
using names = std::vector<std::string>;
using counts = std::vector<std::size_t>;

TEST_CASE("a compressed list of nodes becomes their names", "[remote]")
{
    CHECK(expand_nodes("n[1-3,7],m2") == names{"n1", "n2", "n3", "n7", "m2"});
    CHECK(expand_nodes("n1") == names{"n1"});
    CHECK(expand_nodes("a,b-1,c.example") == names{"a", "b-1", "c.example"});
    CHECK(expand_nodes("n[08-11]") == names{"n08", "n09", "n10", "n11"});
    CHECK(expand_nodes("n[099-101]") == names{"n099", "n100", "n101"});
    CHECK(expand_nodes("n[3]x") == names{"n3x"});
    CHECK(expand_nodes("r[1-2]n[1-2,5],x") ==
          names{"r1n1", "r1n2", "r1n5", "r2n1", "r2n2", "r2n5", "x"});
    CHECK(expand_nodes("").empty());
    CHECK(expand_nodes("n[1-65536]").size() == 65'536);
}

TEST_CASE("counts for nodes become one number each", "[remote]")
{
    CHECK(expand_counts("2(x3),1") == counts{2, 2, 2, 1});
    CHECK(expand_counts("8") == counts{8});
    CHECK(expand_counts("8,4(x2),0") == counts{8, 4, 4, 0});
    CHECK(expand_counts("").empty());
}

TEST_CASE("what is no list of nodes is refused with its text", "[remote]")
{
    for (auto bad : {"n[1-3", "n1]", "n[]", "n[3-1]", "n[1-2-3]", "n[a]", "n[1,,2]", "n1,,n2",
                     ",n1", "n1,", "n[-1]", "n[1-]", "n[[1]]", "n[1-65537]", "n[1-9999][1-9999]",
                     "n[1-99999999999999999999]", "n[0-18446744073709551615]"})
    {
        CAPTURE(bad);
        CHECK_THROWS_AS(expand_nodes(bad), std::invalid_argument);
    }
    for (auto bad : {"x", "2(x", "2(x3", "2(y3)", "2(x3)1", "2,", ",2", "-1", "2(x99999999)", "2 "})
    {
        CAPTURE(bad);
        CHECK_THROWS_AS(expand_counts(bad), std::invalid_argument);
    }
    try
    {
        expand_nodes("n[1-3");
        FAIL("taken");
    }
    catch (const std::invalid_argument& refused)
    {
        CHECK(std::string(refused.what()) == "brood: list of nodes \"n[1-3\": a ] is missing");
    }
}
