// SPDX-License-Identifier: BSL-1.0
#include <brood/http/percent.hpp>

#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace brood::http;

TEST_CASE("percent_decoded() gives the bytes that were meant", "[percent]")
{
    std::vector<std::pair<std::string, std::string>> table{
        {"", ""},
        {"plain", "plain"},
        {"%41", "A"},
        {"a%20b%2Fc%2fd", "a b/c/d"},
        {"%2541", "%41"},
        {"a+b", "a+b"},
        {"%c3%BC", "\xC3\xBC"},
        {"%FF", "\xFF"},
        {"%01%7f", "\x01\x7F"},
        {"%2e%2E/", "../"},
        {"raw \xC3\xBC stays", "raw \xC3\xBC stays"},
    };
    for (auto& [encoded, plain] : table)
    {
        INFO(encoded);
        CHECK(percent_decoded(encoded) == plain);
    }
}

TEST_CASE("percent_decoded() refuses what stands for no byte, and NUL", "[percent]")
{
    for (std::string_view text : {"%", "%4", "a%", "a%4", "%%41", "%4%41", "%g0", "%0g", "%-1",
                                  "%+1", "% 1", "%0x", "%00", "a%00b", "%u0041", "%\xC3\xBC"})
    {
        INFO(text);
        CHECK_FALSE(percent_decoded(text));
        CHECK_FALSE(form_decoded(text));
    }
    CHECK_FALSE(percent_decoded(std::string_view("a\0b", 3)));
    CHECK_FALSE(form_decoded(std::string_view("\0", 1)));
}

TEST_CASE("a view that ends inside of an escape is not read beyond its end", "[percent]")
{
    std::string_view text = "a%41";

    CHECK_FALSE(percent_decoded(text.substr(0, 2)));
    CHECK_FALSE(percent_decoded(text.substr(0, 3)));
    CHECK(percent_decoded(text) == "aA");
}

TEST_CASE("form_decoded() takes a plus for a space, and an encoded one for a plus", "[percent]")
{
    CHECK(form_decoded("a+b%2Bc%20d") == "a b+c d");
    CHECK(form_decoded("+") == " ");
}

TEST_CASE("percent_encoded() leaves only unreserved characters", "[percent]")
{
    CHECK(percent_encoded("") == "");
    CHECK(percent_encoded("AZaz09-._~") == "AZaz09-._~");
    CHECK(percent_encoded("a b/c?d=e&f+g%h#i") == "a%20b%2Fc%3Fd%3De%26f%2Bg%25h%23i");
    CHECK(percent_encoded("\xC3\xBC") == "%C3%BC");
    CHECK(percent_encoded(std::string_view("\0", 1)) == "%00");
}

TEST_CASE("every byte but NUL comes back from encoding and decoding", "[percent]")
{
    std::string all;
    for (int code = 1; code < 256; ++code)
        all += static_cast<char>(code);

    CHECK(percent_decoded(percent_encoded(all)) == all);
    CHECK(form_decoded(percent_encoded(all)) == all);
}
