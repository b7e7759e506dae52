// SPDX-License-Identifier: BSL-1.0
#include <brood/http/date.hpp>

#include "support/catch.hpp"

#include <ctime>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

using brood::http::parse_http_date;
using brood::http::to_http_date;

namespace
{

/// What the system makes of a time, in the locale of C.
std::string by_strftime(std::time_t time, const char* form)
{
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::string text(64, '\0');
    text.resize(std::strftime(text.data(), text.size(), form, &parts));
    return text;
}

constexpr std::time_t in_2026 = 1'795'700'000;

} // namespace

TEST_CASE("times are written as dates and read back", "[date]")
{
    std::vector<std::pair<std::time_t, std::string>> table{
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {951'868'800, "Wed, 01 Mar 2000 00:00:00 GMT"},
        {-2'203'891'201, "Wed, 28 Feb 1900 23:59:59 GMT"},
        {-2'203'891'200, "Thu, 01 Mar 1900 00:00:00 GMT"},
        {2'147'483'647, "Tue, 19 Jan 2038 03:14:07 GMT"},
        {2'147'483'648, "Tue, 19 Jan 2038 03:14:08 GMT"},
        {-62'135'596'800, "Mon, 01 Jan 0001 00:00:00 GMT"},
        {-62'167'219'200, "Sat, 01 Jan 0000 00:00:00 GMT"},
        {253'402'300'799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    for (auto& [time, text] : table)
    {
        INFO(text);
        CHECK(to_http_date(time) == text);
        CHECK(parse_http_date(text) == time);
    }
}

TEST_CASE("times that have no date with four digits are written as the nearest that has", "[date]")
{
    for (auto late : {std::time_t{253'402'300'800}, std::numeric_limits<std::time_t>::max()})
        CHECK(to_http_date(late) == "Fri, 31 Dec 9999 23:59:59 GMT");
    for (auto early : {std::time_t{-62'167'219'201}, std::numeric_limits<std::time_t>::min()})
        CHECK(to_http_date(early) == "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST_CASE("ten thousand random times are written as the system writes them, and read in all forms",
          "[date]")
{
    std::mt19937_64 random(Catch::rngSeed());
    std::uniform_int_distribution<std::time_t> any(-2'208'988'800, 253'402'300'799);
    std::uniform_int_distribution<std::time_t> recent(221'000'000, 3'373'000'000);
    for (int turn = 0; turn < 10'000; ++turn)
    {
        auto time = any(random);
        auto near = recent(random);
        auto written = to_http_date(time);

        if (written != by_strftime(time, "%a, %d %b %Y %H:%M:%S GMT"))
            FAIL(time << " is written as " << written);
        if (parse_http_date(written) != time)
            FAIL(written << " is read as another time");
        if (parse_http_date(by_strftime(time, "%a %b %e %H:%M:%S %Y")) != time)
            FAIL(time << " in the form of asctime is read as another time");
        if (parse_http_date(by_strftime(near, "%A, %d-%b-%y %H:%M:%S GMT"), in_2026) != near)
            FAIL(near << " in the form of RFC 850 is read as another time");
    }
    SUCCEED();
}

TEST_CASE("the three forms of a date say the same time", "[date]")
{
    for (auto text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                      "Sun Nov  6 08:49:37 1994"})
    {
        INFO(text);
        CHECK(parse_http_date(text) == 784'111'777);
    }
    CHECK(parse_http_date("Wed Nov 16 08:49:37 1994") == 784'975'777);
    CHECK(parse_http_date("Wed Nov 06 08:49:37 1994") == 784'111'777);
}

TEST_CASE("two digits mean the year that is at most fifty ahead", "[date]")
{
    auto year = [](const char* digits, std::time_t now)
    {
        auto time = parse_http_date(std::string("Friday, 01-Jan-") + digits + " 00:00:00 GMT", now);
        return time ? to_http_date(*time).substr(12, 4) : "nothing";
    };
    CHECK(year("26", in_2026) == "2026");
    CHECK(year("76", in_2026) == "2076");
    CHECK(year("77", in_2026) == "1977");
    CHECK(year("00", in_2026) == "2000");
    CHECK(year("99", in_2026) == "1999");
    CHECK(year("99", 0) == "1999");
    CHECK(year("20", 0) == "2020");
    CHECK(year("21", 0) == "1921");
    CHECK(year("99", 2'524'608'000) == "2099");
    CHECK(year("01", 2'524'608'000) == "2001");
    CHECK(parse_http_date("Friday, 31-Oct-76 00:00:00 GMT", in_2026) == 3'371'328'000);
    CHECK(parse_http_date("Friday, 31-Dec-76 00:00:00 GMT", in_2026) == 220'838'400);
    CHECK(parse_http_date("Tuesday, 29-Feb-00 00:00:00 GMT", 2'600'000'000) == 951'782'400);
}

TEST_CASE("a leap second is the first of the next minute, and the day's name is not checked",
          "[date]")
{
    CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1'483'228'800);
    CHECK(parse_http_date("Mon, 06 Nov 1994 08:49:37 GMT") == 784'111'777);
}

TEST_CASE("parse_http_date() refuses every other text", "[date]")
{
    std::vector<std::string> table{
        "",
        " ",
        "0",
        "784111777",
        "now",
        "Sun",
        "Sun,",
        "Sun, 06 Nov 1994",
        "GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMTX",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 01994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:-1 GMT",
        "Sun, 06 Nov 1994 08:49:3",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 29 Feb 2001 08:49:37 GMT",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37",
        "Sunday, 6-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov  16 08:49:37 1994",
        "Sun Nov  0 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    };
    for (auto& text : table)
    {
        INFO(text);
        CHECK_FALSE(parse_http_date(text));
    }
}

TEST_CASE("parse_http_date() refuses every beginning of a date, and one with another byte in it",
          "[date]")
{
    for (std::string text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov  6 08:49:37 1994"})
        for (std::size_t at = 0; at < text.size(); ++at)
        {
            INFO(text << " at " << at);
            CHECK_FALSE(parse_http_date(text.substr(0, at)));
            for (auto other : {'\0', '\xFF', '/', '_'})
            {
                auto changed = text;
                changed[at] = other;
                CHECK_FALSE(parse_http_date(changed));
            }
        }
}

TEST_CASE("write_http_date() fills exactly its room", "[date]")
{
    std::string room(brood::http::http_date_size + 2, '#');

    brood::http::write_http_date(
        784'111'777, std::span<char, brood::http::http_date_size>(&room[1], room.size() - 2));

    CHECK(room == "#Sun, 06 Nov 1994 08:49:37 GMT#");
}
