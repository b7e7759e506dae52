// SPDX-License-Identifier: BSL-1.0
#include <brood/http/conditions.hpp>

#include "support/catch.hpp"

#include <optional>
#include <string_view>
#include <vector>

using namespace brood::http;

namespace
{

using field = std::optional<std::string_view>;

constexpr std::string_view tag = R"("a")";
constexpr std::string_view before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view exactly = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view after = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr validators current{tag, 784'111'777};
constexpr field none;
constexpr auto whole = verdict::serve;
constexpr auto known = verdict::not_modified;
constexpr auto failed = verdict::precondition_failed;

struct row
{
    field match, none_match, modified_since, unmodified_since;
    verdict get, put;
};

} // namespace

TEST_CASE("conditions are decided in the order of RFC 9110 13.2.2", "[conditions]")
{
    std::vector<row> table{
        {none, none, none, none, whole, whole},
        // If-Match: a list with the tag, strongly
        {R"("a")", none, none, none, whole, whole},
        {R"("b", "a")", none, none, none, whole, whole},
        {R"("b")", none, none, none, failed, failed},
        {R"(W/"a")", none, none, none, failed, failed},
        {"*", none, none, none, whole, whole},
        {" * ", none, none, none, whole, whole},
        {"a", none, none, none, failed, failed},
        {"", none, none, none, failed, failed},
        {"**", none, none, none, failed, failed},
        {R"(*, "a")", none, none, none, failed, failed},
        // If-Unmodified-Since: only without If-Match
        {none, none, none, before, failed, failed},
        {none, none, none, exactly, whole, whole},
        {none, none, none, after, whole, whole},
        {none, none, none, "yesterday", whole, whole},
        {none, none, none, "", whole, whole},
        {R"("a")", none, none, before, whole, whole},
        {R"("b")", none, none, after, failed, failed},
        // If-None-Match: a list without the tag, weakly
        {none, R"("a")", none, none, known, failed},
        {none, R"(W/"a")", none, none, known, failed},
        {none, R"("b", "c")", none, none, whole, whole},
        {none, R"("b", "a")", none, none, known, failed},
        {none, "*", none, none, known, failed},
        {none, "a", none, none, whole, whole},
        {none, "", none, none, whole, whole},
        // If-Modified-Since: only for GET and HEAD, and without If-None-Match
        {none, none, before, none, whole, whole},
        {none, none, exactly, none, known, whole},
        {none, none, after, none, known, whole},
        {none, none, "Sunday, 06-Nov-94 08:49:37 GMT", none, known, whole},
        {none, none, "Sun Nov  6 08:49:37 1994", none, known, whole},
        {none, none, "784111777", none, whole, whole},
        {none, none, "", none, whole, whole},
        {none, none, "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", none, whole,
         whole},
        {none, R"("b")", after, none, whole, whole},
        {none, R"("a")", before, none, known, failed},
        // both halves
        {R"("a")", R"("a")", none, none, known, failed},
        {R"("b")", R"("a")", none, none, failed, failed},
        {R"("a")", R"("b")", after, before, whole, whole},
        {none, R"("a")", none, before, failed, failed},
        {none, none, after, after, known, whole},
        {none, none, after, before, failed, failed},
    };
    for (auto& [match, none_match, modified_since, unmodified_since, get, put] : table)
    {
        INFO("If-Match " << match.value_or("-") << ", If-None-Match " << none_match.value_or("-")
                         << ", If-Modified-Since " << modified_since.value_or("-")
                         << ", If-Unmodified-Since " << unmodified_since.value_or("-"));
        conditions asked{match, none_match, modified_since, unmodified_since};

        CHECK(evaluate("GET", asked, current) == get);
        CHECK(evaluate("HEAD", asked, current) == get);
        CHECK(evaluate("PUT", asked, current) == put);
        CHECK(evaluate("DELETE", asked, current) == put);
        CHECK(evaluate("get", asked, current) == put);
        CHECK(evaluate("OPTIONS", asked, current) == whole);
        CHECK(evaluate("TRACE", asked, current) == whole);
        CHECK(evaluate("CONNECT", asked, current) == whole);
    }
}

TEST_CASE("a resource that is not there yet is created once", "[conditions]")
{
    conditions if_absent;
    if_absent.if_none_match = "*";
    conditions if_present;
    if_present.if_match = "*";
    conditions if_same;
    if_same.if_match = tag;

    CHECK(evaluate("PUT", if_absent, {}) == whole);
    CHECK(evaluate("PUT", if_absent, current) == failed);
    CHECK(evaluate("PUT", if_present, {}) == failed);
    CHECK(evaluate("PUT", if_present, current) == whole);
    CHECK(evaluate("PUT", if_same, {}) == failed);
}

TEST_CASE("a resource with only one of tag and date is decided by that one", "[conditions]")
{
    conditions by_date{none, none, exactly, before};
    conditions by_tag{none, tag, none, none};

    CHECK(evaluate("GET", by_date, {tag, std::nullopt}) == whole);
    CHECK(evaluate("GET", by_tag, {tag, std::nullopt}) == known);
    CHECK(evaluate("GET", by_tag, {"", 784'111'777}) == whole);
    conditions any{"*", none, none, none};
    CHECK(evaluate("GET", any, {"", 784'111'777}) == whole);
    CHECK(evaluate("GET", any, {tag, std::nullopt}) == whole);
}

TEST_CASE("a weak tag answers readers and never those who write", "[conditions]")
{
    validators weak{R"(W/"a")", std::nullopt};
    conditions reader{none, R"(W/"a")", none, none};
    conditions writer{R"(W/"a")", none, none, none};

    CHECK(evaluate("GET", reader, weak) == known);
    CHECK(evaluate("PUT", writer, weak) == failed);
}
