// SPDX-License-Identifier: BSL-1.0
#include <brood/http/head.hpp>

#include "support/catch.hpp"

using namespace brood::http;

TEST_CASE("a head of a request that is cleared has nothing of the last one", "[http_head]")
{
    request_head head;
    head.method = "GET";
    head.target = "/secret";
    head.headers.add("Authorization", "Basic c2VjcmV0");

    head.clear();

    CHECK(head.method.empty());
    CHECK(head.target.empty());
    CHECK(head.headers.empty());
}

TEST_CASE("a head of a response that is cleared has nothing of the last one", "[http_head]")
{
    response_head head;
    head.reason = "OK";
    head.headers.add("Set-Cookie", "a=b");

    head.clear();

    CHECK(head.reason.empty());
    CHECK(head.headers.empty());
}

TEST_CASE("a head is of HTTP/1.1 unless it says something else", "[http_head]")
{
    CHECK(request_head().version == 11);
    CHECK(response_head().version == 11);
}
