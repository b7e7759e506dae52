// SPDX-License-Identifier: BSL-1.0
#include <brood/http/fields.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace brood::http;

namespace
{

using texts = std::vector<std::string>;

// "name: value" for each field.
texts lines(const fields& of)
{
    texts result;
    for (auto [name, value] : of)
        result.push_back(std::string(name) + ": " + std::string(value));
    return result;
}

} // namespace

TEST_CASE("names match in any case, and stand as they came", "[fields]")
{
    fields headers;
    headers.add("Content-Type", "text/plain");

    CHECK(headers.find("content-type") == "text/plain");
    CHECK(headers.find("CONTENT-TYPE") == "text/plain");
    CHECK(!headers.find("Content-Typ"));
    CHECK(!headers.find("Content-Type2"));
    CHECK(headers.has("content-TYPE"));
    CHECK(lines(headers) == texts{"Content-Type: text/plain"});
}

TEST_CASE("only the case of ASCII letters does not matter", "[fields]")
{
    CHECK(same_name("AZaz-09", "azAZ-09"));
    CHECK(!same_name("@[`{", "`{@["));
    CHECK(!same_name("\xc4", "\xe4"));
    CHECK(!same_name("a", "ab"));
    CHECK(same_name("", ""));
}

TEST_CASE("a name may stand there several times, and find() gives the first", "[fields]")
{
    fields headers;
    headers.add("Set-Cookie", "a=1");
    headers.add("Vary", "Accept");
    headers.add("set-cookie", "b=2");

    CHECK(headers.find("Set-Cookie") == "a=1");
    CHECK(headers.all("SET-COOKIE") == std::vector<std::string_view>{"a=1", "b=2"});
    CHECK(headers.all("none").empty());
    CHECK(lines(headers) == texts{"Set-Cookie: a=1", "Vary: Accept", "set-cookie: b=2"});
    CHECK(headers.size() == 3);
}

TEST_CASE("set() takes the place of all fields of the name", "[fields]")
{
    fields headers;
    headers.add("a", "1");
    headers.add("b", "2");
    headers.add("A", "3");

    headers.set("a", "4");

    CHECK(lines(headers) == texts{"b: 2", "a: 4"});
}

TEST_CASE("remove() takes all of a name, and nothing when there is none", "[fields]")
{
    fields headers;
    headers.add("a", "1");
    headers.add("b", "2");
    headers.add("A", "3");

    headers.remove("c");
    CHECK(headers.size() == 3);
    headers.remove("A");
    CHECK(lines(headers) == texts{"b: 2"});
    headers.remove("b");
    CHECK(headers.empty());
    CHECK(headers.begin() == headers.end());
}

TEST_CASE("an empty value is a value", "[fields]")
{
    fields headers;
    headers.add("Accept", "");

    CHECK(headers.has("accept"));
    CHECK(headers.find("accept") == "");
}

TEST_CASE("what would end a field early is refused, with its name", "[fields]")
{
    fields headers;

    for (std::string value : {"a\r\nSet-Cookie: b", "a\n", "\r", "\x01", "\x7f"})
    {
        CHECK_THROWS_AS(headers.add("X", value), std::invalid_argument);
        CHECK_THROWS_AS(headers.set("X", value), std::invalid_argument);
    }
    CHECK_THROWS_AS(headers.add("X", std::string(1, '\0')), std::invalid_argument);
    for (std::string name : {"", "a b", "a:", "a\r\n", "\xc3\xa4", "(a)", "a\"", "a,b"})
        CHECK_THROWS_AS(headers.add(name, "value"), std::invalid_argument);
    CHECK_THROWS_WITH(headers.add("Location", "\n"),
                      Catch::Matchers::ContainsSubstring("Location"));
    CHECK(headers.empty());
}

TEST_CASE("tabs and bytes beyond ASCII may stand in a value", "[fields]")
{
    fields headers;
    headers.add("X", "a\tb \xc3\xa4");

    CHECK(headers.find("X") == "a\tb \xc3\xa4");
}

TEST_CASE("set() with a value that is refused changes nothing", "[fields]")
{
    fields headers;
    headers.add("Location", "/books");

    CHECK_THROWS_AS(headers.set("Location", "/\r\n"), std::invalid_argument);

    CHECK(headers.find("Location") == "/books");
}

TEST_CASE("a field may be made of another one of the same fields", "[fields]")
{
    fields headers;
    auto text = std::string(300, 'x');
    headers.add("first", text);

    for (int count = 0; count < 20; ++count)
        headers.add("copy", *headers.find("first"));
    headers.set("first", *headers.find("copy"));

    for (auto [name, value] : headers)
        CHECK(value == text);
    CHECK(headers.size() == 21);
}

TEST_CASE("fields that are cleared and filled again allocate nothing", "[fields]")
{
    fields headers;
    auto fill = [&]
    {
        headers.clear();
        headers.add("Content-Type", "text/html; charset=utf-8, and more of it");
        headers.add("Cache-Control", "no-store");
        headers.set("content-type", "text/plain; charset=utf-8, and more of it");
    };
    fill();

    auto used = allocated_by(fill);

    CHECK(used.count == 0);
    CHECK(headers.size() == 2);
}

TEST_CASE("a copy of fields is independent", "[fields]")
{
    fields one;
    one.add("a", "1");
    auto other = one;
    other.set("a", "2");
    auto moved = std::move(other);

    CHECK(one.find("a") == "1");
    CHECK(moved.find("a") == "2");
}

TEST_CASE("a token is letters, digits and some signs, but not nothing", "[fields]")
{
    CHECK(is_token("GET"));
    CHECK(is_token("!#$%&'*+-.^_`|~09azAZ"));
    CHECK(!is_token(""));
    for (std::string text :
         {"a b", "a\t", "a/b", "a:b", "a@b", "a;b", "{a}", "a=b", "\x7f", "\x80"})
        CHECK(!is_token(text));
    CHECK(!is_token(std::string(1, '\0')));
}

TEST_CASE("a list has its tokens, in any case and with blanks around them", "[fields]")
{
    CHECK(list_has("close", "close"));
    CHECK(list_has("keep-alive, Upgrade", "upgrade"));
    CHECK(list_has(" \tclose\t ,", "CLOSE"));
    CHECK(list_has(",,close", "close"));
    CHECK(!list_has("closed, enclose", "close"));
    CHECK(!list_has("", "close"));
    CHECK(!list_has(" , ", "close"));
    CHECK(!list_has("clo se", "close"));
}
