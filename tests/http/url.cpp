// SPDX-License-Identifier: BSL-1.0
#include <brood/http/url.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <string>
#include <vector>

using brood::http::parse_url;

TEST_CASE("parse_url() takes a URL apart, and authority() names the host again", "[url]")
{
    struct row
    {
        std::string_view text;
        std::string host;
        std::uint16_t port;
        std::string target, authority;
    };
    std::vector<row> table{
        {"http://a", "a", 80, "/", "a"},
        {"http://a/", "a", 80, "/", "a"},
        {"HTTP://Example.COM/Path", "example.com", 80, "/Path", "example.com"},
        {"http://a:80/", "a", 80, "/", "a"},
        {"http://a:/", "a", 80, "/", "a"},
        {"http://a:8080/b/c?d=e&f", "a", 8080, "/b/c?d=e&f", "a:8080"},
        {"http://a:65535", "a", 65535, "/", "a:65535"},
        {"http://a:0/", "a", 0, "/", "a:0"},
        {"http://a?b=/c", "a", 80, "/?b=/c", "a"},
        {"http://a?", "a", 80, "/?", "a"},
        {"http://a/?b?c", "a", 80, "/?b?c", "a"},
        {"http://a/b#c", "a", 80, "/b", "a"},
        {"http://a#b/c?d", "a", 80, "/", "a"},
        {"http://a/b?c#d?e#f", "a", 80, "/b?c", "a"},
        {"http://a/b# c\n", "a", 80, "/b", "a"},
        {"http://127.0.0.1:8080/a", "127.0.0.1", 8080, "/a", "127.0.0.1:8080"},
        {"http://[::1]/a", "::1", 80, "/a", "[::1]"},
        {"http://[2001:DB8::1]:8080/a", "2001:db8::1", 8080, "/a", "[2001:db8::1]:8080"},
        {"http://a//b/../c", "a", 80, "//b/../c", "a"},
        {"http://a/%20%zz", "a", 80, "/%20%zz", "a"},
        {"http://a/b@c:d", "a", 80, "/b@c:d", "a"},
        {"http://a/http://b/", "a", 80, "/http://b/", "a"},
    };
    for (auto& [text, host, port, target, authority] : table)
    {
        INFO(text);
        auto parsed = parse_url(text);

        REQUIRE(parsed);
        CHECK(parsed->scheme == "http");
        CHECK(parsed->host == host);
        CHECK(parsed->port == port);
        CHECK(parsed->target == target);
        CHECK(parsed->authority() == authority);
    }
}

TEST_CASE("parse_url() refuses what it could not ask for", "[url]")
{
    std::vector<std::string> table{
        "",
        "http",
        "http:",
        "http:/",
        "http://",
        "http:///a",
        "http://?a",
        "http://#a",
        "//a/b",
        "/a",
        "a",
        "a:80",
        "*",
        "#",
        "https://a/",
        "HTTPS://a/",
        "ftp://a/",
        "ws://a/",
        "unix:/a",
        "http://user@a/",
        "http://user:pass@a/",
        "http://@a/",
        "http://a:b@c/",
        "http://a@b:80/",
        "http://a\\@b/",
        "http://a:65536/",
        "http://a:99999999999999999999/",
        "http://a:-1/",
        "http://a:+1/",
        "http://a:8o/",
        "http://a:80:80/",
        "http://::1/",
        "http://[::1/",
        "http://[::1]a/",
        "http://[fe80::1%25eth0]/",
        "http://a b/",
        "http://a/b c",
        "http://a/b\n",
        " http://a/",
        "http://a/ ",
        "http://a/\xC3\xBC",
        "http://\xC3\xBC/",
        "http://a/\x7f",
        "http://a\r\nHost: b/",
        "http://a/?b=\r\nc",
    };
    for (auto& text : table)
    {
        INFO(text);
        CHECK_FALSE(parse_url(text));
    }
    CHECK_FALSE(parse_url(std::string_view("http://a/\0", 10)));
    CHECK_FALSE(parse_url(std::string_view("http://a\0/", 10)));
}

TEST_CASE("a URL that was made by hand names its host as a parsed one", "[url]")
{
    brood::http::url made;
    made.host = "::1";
    made.port = 81;

    CHECK(made.authority() == "[::1]:81");
    CHECK(made == parse_url("http://[::1]:81"));
}
