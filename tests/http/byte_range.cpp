// SPDX-License-Identifier: BSL-1.0
#include <brood/http/byte_range.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace brood::http;
using extent = brood::http::byte_range::extent;

namespace
{

constexpr std::uint64_t size = 1000;
constexpr std::uint64_t largest = UINT64_MAX;
constexpr byte_range whole{extent::whole, 0, size};
constexpr byte_range unsatisfiable{extent::unsatisfiable, 0, 0};

constexpr byte_range part(std::uint64_t first, std::uint64_t count)
{
    return {extent::part, first, count};
}

constexpr std::string_view tag = R"("a")";
constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr validators current{tag, 784'111'777};

} // namespace

TEST_CASE("a range is read as RFC 9110 14.1.2 has it", "[byte_range]")
{
    struct row
    {
        std::string text;
        byte_range range;
    };
    std::vector<row> table{
        {"bytes=0-499", part(0, 500)},
        {"bytes=500-999", part(500, 500)},
        {"bytes=-500", part(500, 500)},
        {"bytes=9-", part(9, 991)},
        {"bytes=0-0", part(0, 1)},
        {"bytes=-1", part(999, 1)},
        {"bytes=999-", part(999, 1)},
        {"bytes=0-", part(0, 1000)},
        {"bytes=0-999", part(0, 1000)},
        {"bytes=0-1000", part(0, 1000)},
        {"bytes=999-1000", part(999, 1)},
        {"bytes=-1000", part(0, 1000)},
        {"bytes=-1001", part(0, 1000)},
        {"BYTES=1-2", part(1, 2)},
        {" bytes=1-2\t", part(1, 2)},
        {"bytes=0001-0002", part(1, 2)},
        // numbers that no file has
        {"bytes=0-18446744073709551615", part(0, 1000)},
        {"bytes=0-18446744073709551616", part(0, 1000)},
        {"bytes=1-99999999999999999999999999999999", part(1, 999)},
        {"bytes=-18446744073709551616", part(0, 1000)},
        {"bytes=18446744073709551615-18446744073709551615", unsatisfiable},
        {"bytes=18446744073709551616-", unsatisfiable},
        {"bytes=99999999999999999999-99999999999999999999", unsatisfiable},
        // behind the end
        {"bytes=1000-", unsatisfiable},
        {"bytes=1000-1001", unsatisfiable},
        {"bytes=-0", unsatisfiable},
        {"bytes=-000", unsatisfiable},
    };
    for (auto& [text, range] : table)
    {
        INFO(text);
        CHECK(parse_byte_range(text, size) == range);
    }
}

TEST_CASE("several ranges, and what is no range, get the whole", "[byte_range]")
{
    std::vector<std::string> table{
        "",
        "=",
        "-",
        "0-1",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=--",
        "bytes=--1",
        "bytes=1",
        "bytes=a-",
        "bytes=0-a",
        "bytes=-a",
        "bytes=0x1-2",
        "bytes=1-0",
        "bytes=999999-0",
        "bytes=+1-2",
        "bytes=1-+2",
        "bytes=1--2",
        "bytes=-1-2",
        "bytes=1-2-3",
        "bytes=1-2-",
        "bytes= 1-2",
        "bytes=1 -2",
        "bytes=1- 2",
        "bytes =1-2",
        "bytes:1-2",
        "bytes 1-2",
        "bytes=1.5-2",
        "bytes=1-2,",
        "bytes=,1-2",
        "bytes=0-1,5-6",
        "bytes=0-1, 5-6",
        "bytes=-1,-2",
        "bytes=0-,0-,0-,0-,0-",
        "bytes=*",
        "bytes=*/1000",
        "bytes==0-1",
        "byte=0-1",
        "items=0-1",
        "xbytes=0-1",
        "none",
        "bytes=0-1\r\n",
        std::string("bytes=0-1\0", 10),
        std::string("bytes=\0-1", 9),
        "bytes=\xC2\xB2-",
        "bytes=" + std::string(100'000, '-'),
    };
    for (auto& text : table)
    {
        INFO(text.substr(0, 40));
        CHECK(parse_byte_range(text, size) == whole);
    }
}

TEST_CASE("an empty file has no first byte, and its last bytes are all of it", "[byte_range]")
{
    CHECK(parse_byte_range("bytes=0-", 0) == unsatisfiable);
    CHECK(parse_byte_range("bytes=0-0", 0) == unsatisfiable);
    CHECK(parse_byte_range("bytes=-0", 0) == unsatisfiable);
    CHECK(parse_byte_range("bytes=-1", 0) == byte_range{extent::whole, 0, 0});
    CHECK(parse_byte_range("bytes=1-0", 0) == byte_range{extent::whole, 0, 0});
}

TEST_CASE("the largest file has no range that overflows", "[byte_range]")
{
    CHECK(parse_byte_range("bytes=0-", largest) == part(0, largest));
    CHECK(parse_byte_range("bytes=0-18446744073709551615", largest) == part(0, largest));
    CHECK(parse_byte_range("bytes=18446744073709551614-", largest) == part(largest - 1, 1));
    CHECK(parse_byte_range("bytes=18446744073709551615-", largest) == unsatisfiable);
    CHECK(parse_byte_range("bytes=-18446744073709551615", largest) == part(0, largest));
    CHECK(parse_byte_range("bytes=-99999999999999999999", largest) == part(0, largest));
}

TEST_CASE("a hundred thousand random ranges stay inside of their file", "[byte_range]")
{
    std::minstd_rand random(Catch::rngSeed());
    std::string alphabet = "0123456789--=, bytes";
    for (int turn = 0; turn < 100'000; ++turn)
    {
        std::string text = "bytes=";
        for (auto length = random() % 8; length > 0; --length)
            text += alphabet[random() % alphabet.size()];
        std::uint64_t length = random() % 2000;
        auto range = parse_byte_range(text, length);
        auto inside = range.first <= length && range.count <= length - range.first;
        auto right = range.what == extent::part    ? range.count > 0
                     : range.what == extent::whole ? range.count == length
                                                   : range.count == 0;

        if (!inside || !right)
            FAIL(text << " of " << length << ": " << range.first << ", " << range.count);
    }
    SUCCEED();
}

TEST_CASE("If-Range lets a range through for the same strong tag or exactly the date",
          "[byte_range]")
{
    for (std::string_view text :
         {R"("a")", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    {
        INFO(text);
        CHECK(allows_range(text, current));
    }
    for (std::string_view text :
         {R"("b")", R"(W/"a")", R"("a", "b")", "*", "", "a", "Sun, 06 Nov 1994 08:49:36 GMT",
          "Sun, 06 Nov 1994 08:49:38 GMT", "yesterday", R"("Sun, 06 Nov 1994 08:49:37 GMT")"})
    {
        INFO(text);
        CHECK_FALSE(allows_range(text, current));
    }
    CHECK_FALSE(allows_range(date, {tag, std::nullopt}));
    CHECK_FALSE(allows_range(R"(W/"a")", {R"(W/"a")", std::nullopt}));
    CHECK_FALSE(allows_range("", {}));
    CHECK_FALSE(allows_range("yesterday", {}));
}

TEST_CASE("only a GET whose If-Range holds gets a part", "[byte_range]")
{
    auto selected = [](std::string_view method, std::optional<std::string_view> range,
                       std::optional<std::string_view> if_range)
    {
        return select_range(method, range, if_range, current, size);
    };
    CHECK(selected("GET", "bytes=0-1", std::nullopt) == part(0, 2));
    CHECK(selected("GET", "bytes=0-1", tag) == part(0, 2));
    CHECK(selected("GET", "bytes=0-1", date) == part(0, 2));
    CHECK(selected("GET", "bytes=0-1", R"("b")") == whole);
    CHECK(selected("GET", "bytes=5000-", R"("b")") == whole);
    CHECK(selected("GET", "bytes=5000-", tag) == unsatisfiable);
    CHECK(selected("GET", std::nullopt, std::nullopt) == whole);
    CHECK(selected("GET", std::nullopt, tag) == whole);
    CHECK(selected("HEAD", "bytes=0-1", std::nullopt) == whole);
    CHECK(selected("POST", "bytes=0-1", std::nullopt) == whole);
}

TEST_CASE("content_range() says which bytes come of how many", "[byte_range]")
{
    CHECK(content_range(part(0, 500), 1000) == "bytes 0-499/1000");
    CHECK(content_range(part(999, 1), 1000) == "bytes 999-999/1000");
    CHECK(content_range(part(0, largest), largest) ==
          "bytes 0-18446744073709551614/18446744073709551615");
    CHECK(content_range(unsatisfiable, 1000) == "bytes */1000");
    CHECK(content_range(unsatisfiable, 0) == "bytes */0");
}
