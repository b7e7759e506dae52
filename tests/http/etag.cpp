// SPDX-License-Identifier: BSL-1.0
#include <brood/http/etag.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <string>
#include <vector>

using namespace brood::http;

TEST_CASE("is_etag() takes quoted texts, weak or not", "[etag]")
{
    for (auto text : {R"("")", R"("a")", R"("a,b")", R"("W/")", R"("*")", R"("\")", R"(W/"a")",
                      R"(W/"")", "\"\xC3\xBC\xFF\""})
    {
        INFO(text);
        CHECK(is_etag(text));
    }
    std::vector<std::string> wrong{
        "",
        "a",
        "*",
        "\"",
        "\"\"\"",
        "W/",
        "W/\"",
        "W/a",
        "w/\"a\"",
        "W\"a\"",
        "W/ \"a\"",
        "\"a",
        "a\"",
        "\"a\"b",
        "a\"b\"",
        " \"a\"",
        "\"a\" ",
        "\"a b\"",
        "\"a\tb\"",
        "\"a\x7f\"",
        "\"a\r\n\"",
        "'a'",
        "\"a\", \"b\"",
        "W/W/\"a\"",
        std::string("\"\0\"", 3),
    };
    for (auto& text : wrong)
    {
        INFO(text);
        CHECK_FALSE(is_etag(text));
    }
}

TEST_CASE("tags are equal as the table of RFC 9110 8.8.3.2 says", "[etag]")
{
    struct row
    {
        std::string one, other;
        bool strongly, weakly;
    };
    std::vector<row> table{
        {R"(W/"1")", R"(W/"1")", false, true},
        {R"(W/"1")", R"(W/"2")", false, false},
        {R"(W/"1")", R"("1")", false, true},
        {R"("1")", R"("1")", true, true},
        {R"("1")", R"("2")", false, false},
        {R"("a")", R"("A")", false, false},
        {R"("")", R"("")", true, true},
        {"", "", false, false},
        {"1", "1", false, false},
        {"*", "*", false, false},
        {R"("1")", "1", false, false},
        {"W/1", "W/1", false, false},
        {R"("1"x)", R"("1"x)", false, false},
    };
    for (auto& [one, other, strongly, weakly] : table)
    {
        INFO(one << " and " << other);
        CHECK(strongly_equal(one, other) == strongly);
        CHECK(strongly_equal(other, one) == strongly);
        CHECK(weakly_equal(one, other) == weakly);
        CHECK(weakly_equal(other, one) == weakly);
    }
}

TEST_CASE("a list has the tags that stand in it up to what is none", "[etag]")
{
    struct row
    {
        std::string list;
        bool strong, weak;
    };
    std::vector<row> table{
        {R"("a")", true, true},
        {R"(W/"a")", false, true},
        {R"("b", "a")", true, true},
        {R"("b","a")", true, true},
        {"\t\"b\" \t,\t \"a\" \t", true, true},
        {R"("b", W/"a", "c")", false, true},
        {R"(, ,"b",, "a",,)", true, true},
        {R"(W/"a", "a")", true, true},
        {R"("a", junk)", true, true},
        {R"(junk, "a")", false, false},
        {R"("b" "a")", false, false},
        {R"("a" "b")", false, false},
        {R"("a"x, "a")", false, false},
        {R"("b", *, "a")", false, false},
        {R"("b";"a")", false, false},
        {R"("b", "a)", false, false},
        {R"(a)", false, false},
        {R"('a')", false, false},
        {R"("x,"a","y")", false, false},
        {R"("b", "c")", false, false},
        {"*", false, false},
        {"", false, false},
        {",", false, false},
        {" , \t, ", false, false},
        {"\"b\",\r\n\"a\"", false, false},
    };
    for (auto& [list, strong, weak] : table)
    {
        INFO(list);
        CHECK(lists_etag(list, R"("a")", etag_comparison::strong) == strong);
        CHECK(lists_etag(list, R"("a")", etag_comparison::weak) == weak);
        CHECK_FALSE(lists_etag(list, "", etag_comparison::weak));
        CHECK_FALSE(lists_etag(list, R"(W/"a")", etag_comparison::strong));
    }
    CHECK(lists_etag(R"("a,b", "c")", R"("a,b")", etag_comparison::strong));
}

TEST_CASE("a long list costs no more than its length", "[etag]")
{
    std::string list;
    for (int tag = 0; tag < 100'000; ++tag)
        list += "\"b\" , ";

    CHECK_FALSE(lists_etag(list, R"("a")", etag_comparison::weak));
    CHECK(lists_etag(list + R"("a")", R"("a")", etag_comparison::weak));
    CHECK_FALSE(lists_etag(std::string(1'000'000, ','), R"("a")", etag_comparison::weak));
    CHECK_FALSE(lists_etag(std::string(1'000'000, '"'), R"("a")", etag_comparison::weak));
}

TEST_CASE("the tag of a file changes with its size, its time and its inode", "[etag]")
{
    CHECK(file_etag(0, 0, 0) == R"("0-0-0")");
    CHECK(file_etag(4096, 1'700'000'000'123'456'789, 42) == R"("1000-17979cfe3d85cd15-2a")");
    CHECK(file_etag(UINT64_MAX, -1, UINT64_MAX) ==
          R"("ffffffffffffffff-ffffffffffffffff-ffffffffffffffff")");
    CHECK(file_etag(1, INT64_MIN, 1) == R"("1-8000000000000000-1")");
    auto tag = file_etag(1, 2, 3);
    CHECK(strongly_equal(tag, file_etag(1, 2, 3)));
    CHECK_FALSE(weakly_equal(tag, file_etag(2, 2, 3)));
    CHECK_FALSE(weakly_equal(tag, file_etag(1, 3, 3)));
    CHECK_FALSE(weakly_equal(tag, file_etag(1, 2, 4)));
}
