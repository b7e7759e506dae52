// SPDX-License-Identifier: BSL-1.0
#include <brood/http/access_record.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using namespace brood::http;

namespace
{

request_head asked_for(const std::string& target)
{
    request_head head;
    head.method = "GET";
    head.target = target;
    return head;
}

} // namespace

const std::chrono::system_clock::time_point some_day{784111777s}; // as in RFC 9110, 5.6.7

TEST_CASE("a record is a line in the combined format, and milliseconds", "[access_record]")
{
    auto head = asked_for("/books?page=2");
    head.headers.add("User-Agent", "curl/8");
    head.headers.add("Referer", "http://a/");

    access_record record{head, "192.0.2.7", 200, 5, 1'234us, some_day};

    CHECK(to_string(record) == "192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "
                               "\"GET /books?page=2 HTTP/1.1\" 200 5 "
                               "\"http://a/\" \"curl/8\" 1.2");
}

TEST_CASE("what is not known is a dash", "[access_record]")
{
    auto head = asked_for("/");
    head.version = 10;

    access_record record{head, "-", 304, 0, 0us};

    CHECK(to_string(record) == "- - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.0\" 304 0 "
                               "\"-\" \"-\" 0.0");
}

TEST_CASE("milliseconds are rounded to a tenth", "[access_record]")
{
    auto head = asked_for("/");

    for (auto [time, shown] : {std::pair(49us, "0.0"),
                               {50us, "0.1"},
                               {949us, "0.9"},
                               {999us, "1.0"},
                               {61'000'000us, "61000.0"}})
    {
        access_record record{head, "-", 200, 0, time};
        CHECK(to_string(record).ends_with(std::string(" ") + shown));
    }
}

TEST_CASE("nothing a client sends begins another line, or ends a field of it", "[access_record]")
{
    auto head = asked_for("/\"\n");
    head.method = "G\x1b[31m";
    head.headers.add_checked("User-Agent", "a\" 200\\ \xff\x7f\r\n127.0.0.1");

    head.headers.add_checked("Referer", "\" \"");
    access_record record{head, "-", 400, 0, 0us, some_day};

    CHECK(to_string(record) ==
          R"(- - - [06/Nov/1994:08:49:37 +0000] "G\x1b[31m /\x22\x0a HTTP/1.1" 400 0 "\x22 \x22" )"
          R"("a\x22 200\x5c \xff\x7f\x0d\x0a127.0.0.1" 0.0)");
}

TEST_CASE("sizes are not cut at four gigabytes", "[access_record]")
{
    auto head = asked_for("/");

    access_record record{head, "-", 200, 5'000'000'000, 0us};

    CHECK(to_string(record).find(" 5000000000 ") != std::string::npos);
}
