// SPDX-License-Identifier: BSL-1.0
#include <brood/http/host.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

using brood::http::host;
using brood::http::is_host;
using brood::http::parse_host;

TEST_CASE("parse_host() takes a host and its port apart", "[host]")
{
    struct row
    {
        std::string_view text;
        host parts;
    };
    std::vector<row> table{
        {"a", {"a"}},
        {"example.com", {"example.com"}},
        {"example.com.", {"example.com."}},
        {"EXAMPLE.com:8080", {"EXAMPLE.com", 8080}},
        {"localhost:", {"localhost"}},
        {"localhost:0", {"localhost", 0}},
        {"localhost:65535", {"localhost", 65535}},
        {"localhost:00000000000000000000000080", {"localhost", 80}},
        {"127.0.0.1:80", {"127.0.0.1", 80}},
        {"999.0.0.1", {"999.0.0.1"}},
        {"under_score-1~!$&'()*+,;=", {"under_score-1~!$&'()*+,;="}},
        {"b%C3%BCcher.example", {"b%C3%BCcher.example"}},
        {"[::]", {"::"}},
        {"[::1]:80", {"::1", 80}},
        {"[::1]:", {"::1"}},
        {"[2001:DB8::a:1]", {"2001:DB8::a:1"}},
        {"[::ffff:192.0.2.1]:443", {"::ffff:192.0.2.1", 443}},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]",
         {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"}},
    };
    for (auto& [text, parts] : table)
    {
        INFO(text);
        CHECK(parse_host(text) == parts);
        CHECK(is_host(text));
    }
}

TEST_CASE("is_host() refuses what names no host", "[host]")
{
    std::vector<std::string> table{
        "",
        ":",
        ":80",
        " ",
        "a b",
        " a",
        "a ",
        "a\t",
        "a:80 ",
        "a: 80",
        "a:8o",
        "a:-1",
        "a:+1",
        "a:65536",
        "a:4294967376",
        "a:18446744073709551696",
        "a:80:80",
        "a::80",
        "::1",
        "::1:80",
        "user@host",
        "user:pass@host",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a@",
        "http://a",
        "a,b:c",
        "<a>",
        "\"a\"",
        "a%",
        "a%4",
        "a%4g",
        "%g1",
        "b\xC3\xBC"
        "cher",
        "a\x7f",
        "a\r\nb",
        "[",
        "]",
        "[]",
        "[]:80",
        "[::1",
        "::1]",
        "[::1]80",
        "[::1]a",
        "[::1]]",
        "[[::1]]",
        "[::1]:65536",
        "[::1]::80",
        "[:]",
        "[:::]",
        "[1::2::3]",
        "[::g]",
        "[12345::]",
        "[127.0.0.1]",
        "[a]",
        "[1:2:3:4:5:6:7]",
        "[1:2:3:4:5:6:7:8:9]",
        "[::1%25eth0]",
        "[fe80::1%eth0]",
        "[v1.a]",
        "[ ::1]",
        "[::1 ]",
        "a[::1]",
    };
    for (auto& text : table)
    {
        INFO(text);
        CHECK_FALSE(is_host(text));
    }
}

TEST_CASE("is_host() refuses NUL wherever it stands", "[host]")
{
    std::string nul(1, '\0');

    CHECK_FALSE(is_host(nul));
    CHECK_FALSE(is_host("a" + nul));
    CHECK_FALSE(is_host("a:80" + nul));
    CHECK_FALSE(is_host("[::1" + nul + "]"));
    CHECK_FALSE(is_host("[::1]" + nul));
}

TEST_CASE("is_host() bears texts of any length", "[host]")
{
    std::string zeros(100'000, '0');
    std::string names(100'000, 'a');

    CHECK(is_host(names));
    CHECK_FALSE(is_host("[" + zeros + "]"));
    CHECK_FALSE(is_host("[" + std::string(100'000, ':') + "]"));
    CHECK_FALSE(is_host(std::string(100'000, '[')));
    CHECK_FALSE(is_host("a:" + std::string(100'000, '9')));
    CHECK(is_host("a:" + zeros));
}

TEST_CASE("a view that ends inside of an escape is not read beyond its end", "[host]")
{
    std::string_view text = "a%41";

    CHECK_FALSE(is_host(text.substr(0, 3)));
    CHECK(is_host(text));
}
