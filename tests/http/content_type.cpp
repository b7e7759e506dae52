// SPDX-License-Identifier: BSL-1.0
#include <brood/http/content_type.hpp>

#include <brood/http/detail/content_types.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using brood::http::content_type;

TEST_CASE("content_type() knows the endings of the web", "[content_type]")
{
    std::vector<std::pair<std::string, std::string>> table{
        {"index.html", "text/html; charset=utf-8"},
        {"style.css", "text/css; charset=utf-8"},
        {"app.js", "text/javascript; charset=utf-8"},
        {"app.mjs", "text/javascript; charset=utf-8"},
        {"app.js.map", "application/json"},
        {"data.json", "application/json"},
        {"a.txt", "text/plain; charset=utf-8"},
        {"README.md", "text/markdown; charset=utf-8"},
        {"a.csv", "text/csv; charset=utf-8"},
        {"a.xml", "application/xml"},
        {"a.svg", "image/svg+xml"},
        {"a.png", "image/png"},
        {"a.jpg", "image/jpeg"},
        {"a.jpeg", "image/jpeg"},
        {"a.gif", "image/gif"},
        {"a.webp", "image/webp"},
        {"a.avif", "image/avif"},
        {"favicon.ico", "image/vnd.microsoft.icon"},
        {"a.wasm", "application/wasm"},
        {"a.pdf", "application/pdf"},
        {"a.mp4", "video/mp4"},
        {"a.webm", "video/webm"},
        {"a.mp3", "audio/mpeg"},
        {"a.ogg", "audio/ogg"},
        {"a.wav", "audio/wav"},
        {"a.woff", "font/woff"},
        {"a.woff2", "font/woff2"},
        {"a.ttf", "font/ttf"},
        {"a.otf", "font/otf"},
        {"a.zip", "application/zip"},
        {"a.tar.gz", "application/gzip"},
        {"a.tar", "application/x-tar"},
        {"site.webmanifest", "application/manifest+json"},
    };
    for (auto& [name, type] : table)
    {
        INFO(name);
        CHECK(content_type(name) == type);
    }
}

TEST_CASE("the ending counts in either case, and the folders do not count", "[content_type]")
{
    CHECK(content_type("INDEX.HTML") == content_type("index.html"));
    CHECK(content_type("a.WoFf2") == "font/woff2");
    CHECK(content_type("/srv/www.example.com/a.png") == "image/png");
    CHECK(content_type("a.png/b.css") == "text/css; charset=utf-8");
    CHECK(content_type("a..png") == "image/png");
    CHECK(content_type("/.hidden.png") == "image/png");
}

TEST_CASE("content_type() claims nothing about other files", "[content_type]")
{
    std::vector<std::string> table{
        "",
        ".",
        "..",
        "/",
        "a",
        "a.",
        "a.unknown",
        "html",
        ".html",
        "/.html",
        "a.html/",
        "a.html/b",
        "a.html ",
        "a.htmlx",
        "a.ht",
        "a.pn",
        "a.\xC3\xBC",
        "a.[",
        "a.`",
        "a.{",
        "a.zzzzzz",
        "a.0",
        std::string("a.png\0", 6),
        "a." + std::string(100'000, 'a'),
        std::string(100'000, '.'),
    };
    for (auto& name : table)
    {
        INFO(name.substr(0, 20));
        CHECK(content_type(name) == "application/octet-stream");
    }
}

TEST_CASE("every entry of the table is found, and can stand in a field", "[content_type]")
{
    for (auto& [ending, type] : brood::http::detail::content_types)
    {
        INFO(ending);
        CHECK(content_type("a." + std::string(ending)) == type);
        CHECK(std::count(type.begin(), type.end(), '/') == 1);
        CHECK(type.starts_with("text/") == type.ends_with("; charset=utf-8"));
    }
}
