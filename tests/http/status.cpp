// SPDX-License-Identifier: BSL-1.0
#include <brood/http/status.hpp>

#include "support/catch.hpp"

#include <climits>
#include <string>

using brood::http::reason;

TEST_CASE("reason() has the words of RFC 9110", "[status]")
{
    CHECK(reason(100) == "Continue");
    CHECK(reason(103) == "Early Hints");
    CHECK(reason(200) == "OK");
    CHECK(reason(206) == "Partial Content");
    CHECK(reason(304) == "Not Modified");
    CHECK(reason(404) == "Not Found");
    CHECK(reason(408) == "Request Timeout");
    CHECK(reason(413) == "Content Too Large");
    CHECK(reason(416) == "Range Not Satisfiable");
    CHECK(reason(422) == "Unprocessable Content");
    CHECK(reason(431) == "Request Header Fields Too Large");
    CHECK(reason(503) == "Service Unavailable");
    CHECK(reason(511) == "Network Authentication Required");
}

TEST_CASE("reason() of every registered code can stand in a status line, others are unknown",
          "[status]")
{
    int known = 0;
    for (unsigned status = 0; status < 1200; ++status)
    {
        INFO(status);
        std::string words(reason(status));

        CHECK_FALSE(words.empty());
        CHECK(words.find_first_of("\r\n") == words.npos);
        known += words != "Unknown";
    }
    CHECK(known == 63);
    for (auto status : {0U, 99U, 105U, 199U, 299U, 306U, 499U, 509U, 599U, 1000U, UINT_MAX})
        CHECK(reason(status) == "Unknown");
}
