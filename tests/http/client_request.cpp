// SPDX-License-Identifier: BSL-1.0
#include <brood/http/client_request.hpp>

#include <brood/http/detail/request_context.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <utility>

using brood::http::client_request;
using brood::http::detail::request_context;
using Catch::Matchers::ContainsSubstring;

namespace
{

// What the client makes of a request.
request_context made(client_request request)
{
    return {std::move(request), {}, false};
}

} // namespace

TEST_CASE("a URL says where to connect, what the Host is, and what to ask for", "[http]")
{
    client_request request("http://Books.example:8080/a%20b?page=2#top");

    CHECK(request.method() == "GET");
    auto sent = made(request);
    CHECK(sent.to().host == "books.example");
    CHECK(sent.to().port == 8080);
    CHECK(sent.to().path.empty());
    CHECK(sent.head(0) == "GET /a%20b?page=2 HTTP/1.1\r\nHost: books.example:8080\r\n\r\n");
}

TEST_CASE("a URL may name a local socket", "[http]")
{
    auto request = made(client_request("unix:/run/app.sock:/books?at=10:/20#top"));
    CHECK(request.to().path == "/run/app.sock");
    CHECK(request.to().target == "/books?at=10:/20");
    CHECK(request.head(0) == "GET /books?at=10:/20 HTTP/1.1\r\nHost: localhost\r\n\r\n");

    auto root = made(client_request("UNIX:app.sock"));
    CHECK(root.to().path == "app.sock");
    CHECK(root.to().target == "/");
}

TEST_CASE("connections are told apart by host and port, or local socket", "[http]")
{
    auto key = [](const char* url)
    {
        return made(client_request(url)).key();
    };
    CHECK(key("http://a/x") == key("http://A:80/y"));
    CHECK(key("http://a/") != key("http://a:81/"));
    CHECK(key("http://a/") != key("http://b/"));
    CHECK(key("unix:/a:/x") == key("unix:/a:/y"));
    CHECK(key("unix:/a") != key("unix:/b"));
}

TEST_CASE("https is refused with a sentence", "[http]")
{
    CHECK_THROWS_WITH(client_request("https://books.example/"),
                      ContainsSubstring("https://books.example/") && ContainsSubstring("TLS"));
    CHECK_THROWS_AS(client_request("HTTPS://books.example/"), std::invalid_argument);
}

TEST_CASE("what is no URL of a client is refused", "[http]")
{
    for (std::string url :
         {"", "/", "books.example", "books.example/a", "ftp://a/", "http://", "http:///a",
          "http://user@a/", "http://a b/", "http://a/b c", "http://a/\r\nX: y", "http://a:99999/",
          "http://[::1/", "unix:", "unix::/a", "unix:/run/a:/b c", "unix:/run/a:/b\r\nX: y"})
    {
        INFO(url);
        CHECK_THROWS_AS(client_request(url), std::invalid_argument);
    }
}

TEST_CASE("nothing that is given can add a line to the head", "[http]")
{
    std::string url = "http://a/";
    CHECK_THROWS_AS(client_request("GET / HTTP/1.1\r\nX: y", url), std::invalid_argument);
    CHECK_THROWS_AS(client_request("", url), std::invalid_argument);
    CHECK_THROWS_AS(client_request("CONNECT", url), std::invalid_argument);
    client_request request(url);
    CHECK_THROWS_AS(request.set("X", "1\r\nY: 2"), std::invalid_argument);
    CHECK_THROWS_AS(request.set("X: 1\r\nY", "2"), std::invalid_argument);
    CHECK_THROWS_AS(request.add("Host", std::string("a\0b", 3)), std::invalid_argument);
    CHECK(request.headers().empty());
}

TEST_CASE("the head says how long the body is", "[http]")
{
    std::string url = "http://a/";
    auto has = [](const std::string& head, const std::string& line)
    {
        return head.find("\r\n" + line + "\r\n") != std::string::npos;
    };
    CHECK(has(made({"POST", url}).head(4), "Content-Length: 4"));
    CHECK(has(made({"POST", url}).head(0), "Content-Length: 0"));
    CHECK(!has(made({"DELETE", url}).head(0), "Content-Length: 0"));
    CHECK(has(made({"POST", url}).head(std::nullopt), "Transfer-Encoding: chunked"));

    client_request request("POST", url);
    request.set("content-length", "17").set("Transfer-Encoding", "gzip").set("Accept", "*/*");
    CHECK(made(request).promised_length() == 17U);
    auto head = made(request).head(4);
    CHECK(has(head, "Content-Length: 4"));
    CHECK(has(head, "Accept: */*"));
    CHECK(head.find("17") == std::string::npos);
    CHECK(head.find("gzip") == std::string::npos);
    request.set("Content-Length", "+17");
    CHECK_THROWS_AS(made(request).promised_length(), std::invalid_argument);
}

TEST_CASE("methods that may be repeated are known", "[http]")
{
    for (auto method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
        CHECK(made({method, "http://a/"}).is_idempotent());
    for (auto method : {"POST", "PATCH", "get", "PROPFIND"})
        CHECK(!made({method, "http://a/"}).is_idempotent());
}
