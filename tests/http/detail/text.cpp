// SPDX-License-Identifier: BSL-1.0
#include <brood/http/detail/text.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <string>

using namespace brood::http::detail;

namespace
{

/// All characters, of which some are wanted.
std::string all_that(bool (*wanted)(char))
{
    std::string found;
    for (int code = 0; code < 256; ++code)
        if (wanted(static_cast<char>(code)))
            found += static_cast<char>(code);
    return found;
}

} // namespace

TEST_CASE("characters are told apart in all 256 codes", "[text]")
{
    std::string digits = "0123456789";
    std::string upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string lower = "abcdefghijklmnopqrstuvwxyz";

    CHECK(all_that([](char c) { return is_digit(c); }) == digits);
    CHECK(all_that([](char c) { return is_letter(c); }) == upper + lower);
    CHECK(all_that([](char c) { return is_unreserved(c); }) ==
          "-." + digits + upper + "_" + lower + "~");
    CHECK(all_that([](char c) { return hex_value(c) >= 0; }) == digits + "ABCDEFabcdef");
    auto visible = all_that([](char c) { return is_visible(c); });
    CHECK(visible.size() == 94);
    CHECK(visible.front() == '!');
    CHECK(visible.back() == '~');
}

TEST_CASE("hex digits are worth 0 to 15 in either case", "[text]")
{
    CHECK(hex_value('0') == 0);
    CHECK(hex_value('9') == 9);
    CHECK(hex_value('a') == 10);
    CHECK(hex_value('F') == 15);
    CHECK(hex_value('g') == -1);
}

TEST_CASE("case is ignored for ASCII only", "[text]")
{
    CHECK(same_ignoring_case("Content-Length", "content-lENGTH"));
    CHECK(same_ignoring_case("", ""));
    CHECK_FALSE(same_ignoring_case("a", "ab"));
    CHECK_FALSE(same_ignoring_case("[", "{"));
    CHECK_FALSE(same_ignoring_case("\xC4", "\xE4"));
}

TEST_CASE("blanks around a text are spaces and tabs, not line ends", "[text]")
{
    CHECK(trimmed(" \t a b\t ") == "a b");
    CHECK(trimmed(" \t").empty());
    CHECK(trimmed("").empty());
    CHECK(trimmed("\r\na") == "\r\na");
}

TEST_CASE("cut() takes a text apart and ends at its end", "[text]")
{
    std::string_view rest = "a,,b";

    CHECK(cut(rest, ',') == "a");
    CHECK(cut(rest, ',').empty());
    CHECK(cut(rest, ',') == "b");
    CHECK(rest.empty());
    CHECK(cut(rest, ',').empty());
}

TEST_CASE("digits() takes digits alone and stops at the greatest number", "[text]")
{
    CHECK(digits<std::uint16_t>("0") == 0);
    CHECK(digits<std::uint16_t>("65535") == 65535);
    CHECK(digits<std::uint16_t>("0000000000000000000000000000000080") == 80);
    CHECK(digits<std::uint16_t>("65536") == 65535);
    CHECK(digits<std::uint64_t>("18446744073709551616") == UINT64_MAX);
    for (std::string_view text : {"", "+1", "-1", " 1", "1 ", "0x10", "1.", "\xC2\xB2"})
    {
        INFO(text);
        CHECK_FALSE(digits<std::uint64_t>(text));
    }
}
