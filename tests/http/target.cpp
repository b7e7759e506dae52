// SPDX-License-Identifier: BSL-1.0
#include <brood/http/target.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace brood::http;
using form = brood::http::target_form;

TEST_CASE("a target is taken apart by its form", "[target]")
{
    struct row
    {
        std::string_view text;
        target_form shape;
        std::string_view scheme, authority, path, query;
    };
    std::vector<row> table{
        {"/", form::origin, "", "", "/", ""},
        {"/a%20b/c?d=e&f", form::origin, "", "", "/a%20b/c", "d=e&f"},
        {"/a?", form::origin, "", "", "/a", ""},
        {"/?a?b", form::origin, "", "", "/", "a?b"},
        {"//host/a", form::origin, "", "", "//host/a", ""},
        {"/http://host/a", form::origin, "", "", "/http://host/a", ""},
        {"/../a/./b", form::origin, "", "", "/../a/./b", ""},
        {"http://host:80/a/b?c=d", form::absolute, "http", "host:80", "/a/b", "c=d"},
        {"HTTPS://host/", form::absolute, "HTTPS", "host", "/", ""},
        {"http://host", form::absolute, "http", "host", "/", ""},
        {"http://host?a=/b", form::absolute, "http", "host", "/", "a=/b"},
        {"http://[::1]:80/?", form::absolute, "http", "[::1]:80", "/", ""},
        {"http://host/http://other/?a=http://b", form::absolute, "http", "host", "/http://other/",
         "a=http://b"},
        {"http:///a", form::absolute, "http", "", "/a", ""},
        {"http://", form::absolute, "http", "", "/", ""},
        {"host:443", form::authority, "", "host:443", "", ""},
        {"host?a=http://b", form::authority, "", "host?a=http://b", "", ""},
        {"http:/a", form::authority, "", "http:/a", "", ""},
        {"a/b", form::authority, "", "a/b", "", ""},
        {"?a", form::authority, "", "?a", "", ""},
        {"**", form::authority, "", "**", "", ""},
        {"", form::authority, "", "", "", ""},
        {"*", form::asterisk, "", "", "*", ""},
    };
    for (auto& expected : table)
    {
        INFO(expected.text);
        target parts(expected.text);

        CHECK(parts.form() == expected.shape);
        CHECK(parts.scheme() == expected.scheme);
        CHECK(parts.authority() == expected.authority);
        CHECK(parts.raw_path() == expected.path);
        CHECK(parts.query_text() == expected.query);
    }
}

TEST_CASE("the path is decoded once, or is nothing", "[target]")
{
    CHECK(target("/a%20b/%C3%BC").path() == "/a b/\xC3\xBC");
    CHECK(target("/a+b").path() == "/a+b");
    CHECK(target("/%252e%252e/").path() == "/%2e%2e/");
    CHECK(target("/a%2Fb").path() == "/a/b");
    CHECK(target("/a?%").path() == "/a");
    CHECK(target("http://h").path() == "/");
    CHECK(target("*").path() == "*");
    for (auto text : {"/%", "/%4", "/%4?1", "/%zz", "/a%00.txt"})
    {
        INFO(text);
        CHECK_FALSE(target(text).path());
    }
}

TEST_CASE("the query is read as pairs in their order", "[target]")
{
    std::vector<std::pair<std::string_view, query_pairs>> table{
        {"/", {}},
        {"/?", {}},
        {"/?&&&", {}},
        {"/?a=1&b=2&a=3", {{"a", "1"}, {"b", "2"}, {"a", "3"}}},
        {"/?&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
        {"/?a", {{"a", ""}}},
        {"/?a=", {{"a", ""}}},
        {"/?=a", {{"", "a"}}},
        {"/?=", {{"", ""}}},
        {"/?a=b=c", {{"a", "b=c"}}},
        {"/?first+name=a+b%2Bc%20d", {{"first name", "a b+c d"}}},
        {"/?a%3Db=%26", {{"a=b", "&"}}},
        {"/?a[]=1&a[]=2", {{"a[]", "1"}, {"a[]", "2"}}},
        {"/?a;b=c", {{"a;b", "c"}}},
        {"http://host?a=b", {{"a", "b"}}},
        {"*", {}},
    };
    for (auto& [text, pairs] : table)
    {
        INFO(text);
        CHECK(target(text).query() == pairs);
    }
}

TEST_CASE("one bad escape makes the whole query nothing", "[target]")
{
    for (auto text : {"/?%", "/?a=%", "/?a=1&b=%4", "/?a=%zz&b", "/?%00=a", "/?a=%00"})
    {
        INFO(text);
        CHECK_FALSE(target(text).query());
    }
}

TEST_CASE("the first value of a name is found under its decoded name", "[target]")
{
    target parts("/?a=1&b+c=2&a=3&d&e=&f=%&g=4&%=5&=6");

    CHECK(parts.query("a") == "1");
    CHECK(parts.query("b c") == "2");
    CHECK(parts.query("d") == "");
    CHECK(parts.query("e") == "");
    CHECK(parts.query("g") == "4");
    CHECK(parts.query("") == "6");
    CHECK_FALSE(parts.query("f"));
    CHECK_FALSE(parts.query("A"));
    CHECK_FALSE(parts.query("b"));
    CHECK_FALSE(target("/?&&").query(""));
    CHECK_FALSE(target("/").query(""));
}

TEST_CASE("is_target() takes each form for its methods only", "[target]")
{
    struct row
    {
        std::string_view text;
        bool get, options, connect;
    };
    std::vector<row> table{
        {"/", true, true, false},
        {"/a/b;c=d?e=f&g[]=h|i\"j{k}", true, true, false},
        {"/%zz?%", true, true, false},
        {"//", true, true, false},
        {"http://host/a", true, true, false},
        {"HTTP://host:8080?a", true, true, false},
        {"https://[::1]/a", true, true, false},
        {"*", false, true, false},
        {"host:443", false, false, true},
        {"[::1]:443", false, false, true},
        {"127.0.0.1:0", false, false, true},
    };
    for (auto& [text, get, options, connect] : table)
    {
        INFO(text);
        CHECK(is_target(text, "GET") == get);
        CHECK(is_target(text, "PURGE") == get);
        CHECK(is_target(text, "connect") == get);
        CHECK(is_target(text, "OPTIONS") == options);
        CHECK(is_target(text, "CONNECT") == connect);
    }
}

TEST_CASE("is_target() refuses for every method what is no target", "[target]")
{
    std::vector<std::string> table{
        "",
        "a",
        "a/b",
        "?a",
        "**",
        "*/",
        "/a b",
        "/a\tb",
        "/a\rb",
        "/a\nb",
        " /",
        "/ ",
        "/#",
        "/a#b",
        "/a?b#c",
        "/\x7f",
        "/\x01",
        "/\xC3\xBC",
        "/?\xFF",
        "host",
        "host:",
        "host:65536",
        "host:a",
        "user@host:80",
        ":443",
        "http:",
        "http:/",
        "http://",
        "http:///",
        "http://:80/",
        "http:///a",
        "http://?a",
        "http://user@host/",
        "http://user:pass@host/",
        "http://host:a/",
        "http://host:65536/",
        "http://[::1/",
        "http://::1/",
        "http://a\\b/",
        "http://host#a",
        "ftp://host/",
        "://host/",
        "1http://host/",
        "http//host",
        "httpx://host/",
        "urn:a:b",
        "javascript:alert(1)",
        "data:,a",
    };
    for (auto& text : table)
    {
        INFO(text);
        CHECK_FALSE(is_target(text, "GET"));
        CHECK_FALSE(is_target(text, "OPTIONS"));
        CHECK_FALSE(is_target(text, "CONNECT"));
    }
    CHECK_FALSE(is_target(std::string_view("/a\0b", 4), "GET"));
}

TEST_CASE("a long target costs no more than its length", "[target]")
{
    std::string pieces = "/?";
    for (int piece = 0; piece < 100'000; ++piece)
        pieces += "a=b&";

    CHECK(target(pieces).query()->size() == 100'000);
    CHECK_FALSE(target("/?" + std::string(1'000'000, '&')).query("a"));
    CHECK(is_target(std::string(1'000'000, '/'), "GET"));
    CHECK_FALSE(is_target("http" + std::string(1'000'000, ':'), "GET"));
}
