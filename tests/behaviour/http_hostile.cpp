// SPDX-License-Identifier: BSL-1.0
// Whatever a client sends, an HTTP server answers each request with its own answer, refuses the
// rest with the status that says why, and closes: never a crash, a hang, or an answer to what a
// body held.
#include <brood/http/server.hpp>

#include <brood/base/detail/asio.hpp>

#include "support/raw_client.hpp"
#include "support/within.hpp"

#include <asio/post.hpp>
#include <asio/write.hpp>

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::task;
using namespace std::string_literals;
namespace http = brood::http;

namespace
{

// What becomes of the connection behind a request, and so of the request behind it.
enum class then
{
    goes_on,
    closes,
};

struct shape
{
    std::string name;
    std::string input;
    int status;
    std::string body; // of the answer; any when empty
    then what;
};

shape accepted(std::string name, std::string input, std::string body)
{
    return {std::move(name), std::move(input), 200, std::move(body), then::goes_on};
}

shape refused(int status, std::string name, std::string input)
{
    return {std::move(name), std::move(input), status, {}, then::closes};
}

// The request behind each shape: unmistakable, and the last of its connection.
const std::string marker = "GET /marker HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n";
const std::string marked = "GET /marker []";

const std::string get = "GET / HTTP/1.1\r\nHost: b\r\n";
const std::string post = "POST / HTTP/1.1\r\nHost: b\r\n";
const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
const std::string end_of_chunks = "0\r\n\r\n";

// Which method, path and body the handler saw.
task<> tell(http::request& request, http::response& response)
{
    auto body = co_await request.body();
    co_await response.end(request.method() + ' ' + request.path() + " [" + body + ']');
}

shape length(const std::string& value, const std::string& body)
{
    return refused(400, "Content-Length: " + value,
                   post + "Content-Length: " + value + "\r\n\r\n" + body);
}

shape encoding(int status, const std::string& value)
{
    return refused(status, "Transfer-Encoding: " + value,
                   post + "Transfer-Encoding: " + value + "\r\n\r\n" + end_of_chunks);
}

shape field(const std::string& name, const std::string& line)
{
    return refused(400, name, get + line + "\r\n\r\n");
}

shape start(int status, const std::string& line)
{
    return refused(status, line, line + "\r\nHost: b\r\n\r\n");
}

shape host(const std::string& value)
{
    return refused(400, "Host: " + value, "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n");
}

shape chunk(const std::string& name, const std::string& chunks)
{
    return refused(400, name, chunked + chunks + end_of_chunks);
}

using shapes = std::vector<shape>;

shapes lengths()
{
    return {
        refused(400, "a length and chunks",
                post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + end_of_chunks),
        refused(400, "chunks and a length",
                post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + end_of_chunks),
        refused(400, "two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
        refused(400, "the same length twice",
                post + "Content-Length: 2\r\ncontent-length: 2\r\n\r\nab"),
        length("2, 2", "ab"),
        length("2, 3", "ab"),
        length("2,", "ab"),
        length(",2", "ab"),
        length("+2", "ab"),
        length("-1", ""),
        length("", ""),
        length("0x2", "ab"),
        length("2 2", "ab"),
        length("2;a", "ab"),
        length("2.0", "ab"),
        length("\"2\"", "ab"),
        length("two", "ab"),
        length("18446744073709551616", ""),
        length("99999999999999999999999999", ""),
        length("2\0"s, "ab"),
        length("2\x0b", "ab"),
        refused(413, "more than a handler takes",
                post + "Content-Length: 18446744073709551615\r\n\r\n"),
        accepted("a length with zeros and blanks around it",
                 post + "Content-Length: \t 002 \t\r\n\r\nab", "POST / [ab]"),
        accepted("a body that looks like a request",
                 post + "Content-Length: " + std::to_string(marker.size()) + "\r\n\r\n" + marker,
                 "POST / [" + marker + "]"),
        accepted("a GET with a body", get + "Content-Length: 2\r\n\r\nab", "GET / [ab]"),
        accepted("a field that is not quite Transfer-Encoding",
                 post + "Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nab", "POST / [ab]"),
    };
}

shapes encodings()
{
    return {
        encoding(400, "identity"),
        encoding(400, "xchunked"),
        encoding(400, "gzip"),
        encoding(501, "gzip, chunked"),
        encoding(400, "chunked, gzip"),
        encoding(501, "chunked, chunked"),
        encoding(400, "chunked;q=1"),
        encoding(400, "\"chunked\""),
        encoding(400, "chunked,"),
        encoding(400, ""),
        encoding(400, "\x0b"
                      "chunked"),
        encoding(400, "chunked\0"s),
        encoding(400, "chunked\r\nTransfer-Encoding: chunked"),
        encoding(400, "chunked\r\nTransfer-Encoding: identity"),
        encoding(400, "identity\r\nTransfer-Encoding: chunked"),
        encoding(400, "\r\n chunked"),
        encoding(400, "chunked\r\n "),
        encoding(400, "chunked\r\n , identity"),
        refused(400, "HTTP/1.0 with Transfer-Encoding",
                "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    end_of_chunks),
        accepted("chunks in other letters",
                 post + "TRANSFER-ENCODING: \tChunked \r\n\r\n2\r\nab\r\n" + end_of_chunks,
                 "POST / [ab]"),
    };
}

shapes lines()
{
    return {
        refused(400, "line feeds alone", "GET / HTTP/1.1\nHost: b\n\n"),
        refused(400, "a line feed behind the request line", "GET / HTTP/1.1\nHost: b\r\n\r\n"),
        refused(400, "carriage returns alone", "GET / HTTP/1.1\rHost: b\r\r"),
        refused(400, "two carriage returns", "GET / HTTP/1.1\r\r\nHost: b\r\r\n\r\r\n"),
        refused(400, "a line feed before the empty line", get + "A: b\n\r\n"),
        refused(400, "no end of the head but a line feed", get + "\n"),
        field("a line feed in a value", "A: b\nTransfer-Encoding: chunked"),
        field("a carriage return in a value", "A: b\rTransfer-Encoding: chunked"),
        field("a space before the colon", "A : b"),
        field("a tab before the colon", "A\t: b"),
        field("a space before the colon of Transfer-Encoding", "Transfer-Encoding : chunked"),
        field("a space in a name", "A b: c"),
        field("no name", ": b"),
        field("no colon", "nonsense"),
        field("a NUL in a name", "A\0b: c"s),
        field("a NUL in a value", "A: b\0c"s),
        field("an escape in a value", "A: \x1b[31m"),
        field("a DEL in a value", "A: b\x7f"),
        field("a letter beyond ASCII in a name", "\xc3\xa4: b"),
        field("a quote in a name", "\"A\": b"),
        field("a value that goes on", "A: b\r\n c"),
        field("a value that goes on behind a tab", "A: b\r\n\tc"),
        field("a value that begins in the next line", "A:\r\n b"),
        field("a value that goes on with nothing", "A: b\r\n "),
        field("a Transfer-Encoding that hides as a value", "A: b\r\n Transfer-Encoding: chunked"),
        field("a Connection that is no list", "Connection: \"a b\""),
        refused(400, "a space before the first field", "GET / HTTP/1.1\r\n Host: b\r\n\r\n"),
        refused(400, "a tab before the first field", "GET / HTTP/1.1\r\n\tHost: b\r\n\r\n"),
        refused(400, "a space before the empty line", get + " \r\n\r\n"),
        accepted("letters beyond ASCII in a value", get + "A: \xc3\xa4\r\n\r\n", "GET / []"),
        accepted("an empty value", get + "A:\r\nB: \t \r\n\r\n", "GET / []"),
        accepted("an empty line before a request", "\r\n" + get + "\r\n", "GET / []"),
        accepted("an empty line behind a body", post + "Content-Length: 2\r\n\r\nab\r\n",
                 "POST / [ab]"),
        refused(400, "two empty lines before a request", "\r\n\r\n" + get + "\r\n"),
        refused(400, "a line feed before a request", "\n" + get + "\r\n"),
    };
}

shapes chunks()
{
    return {
        chunk("no digit", "g\r\n"),
        chunk("a size of nothing", "\r\nab\r\n"),
        chunk("no size before an extension", ";a\r\nab\r\n"),
        chunk("a size with 0x", "0x2\r\nab\r\n"),
        chunk("a negative size", "-2\r\nab\r\n"),
        chunk("a positive size", "+2\r\nab\r\n"),
        chunk("a space before a size", " 2\r\nab\r\n"),
        chunk("a space behind a size", "2 \r\nab\r\n"),
        chunk("a line feed behind a size", "2\nab\r\n"),
        chunk("a carriage return behind a size", "2\rab\r\n"),
        chunk("a NUL in a size", "2\0\r\nab\r\n"s),
        chunk("more than 64 bits", "10000000000000002\r\nab\r\n"),
        chunk("all of 64 bits", "ffffffffffffffff\r\nab\r\n"),
        chunk("data that is too long", "2\r\nabc\r\n"),
        chunk("data that is too short", "4\r\nab\r\n"),
        chunk("no end of the data", "2\r\nab"),
        chunk("a line feed behind the data", "2\r\nab\n"),
        chunk("two ends of the data", "2\r\nab\r\n\r\n"),
        chunk("an extension that is none", "2;=\r\nab\r\n"),
        chunk("an extension of two words", "2;a b\r\nab\r\n"),
        chunk("an extension without end", "2;a=\"b\r\nab\r\n"),
        chunk("a line feed in an extension", "2;a\nb\r\nab\r\n"),
        chunk("a line feed in a quoted extension", "2;a=\"\n\"\r\nab\r\n"),
        chunk("the end of a line in a quoted extension", "2;a=\"\r\n\"\r\nab\r\n"),
        chunk("a NUL in a quoted extension", "2;a=\"\0\"\r\nab\r\n"s),
        refused(431, "a size without end", chunked + std::string(20'000, '0') + end_of_chunks),
        refused(431, "an extension that is too long",
                chunked + "2;" + std::string(20'000, 'a') + "\r\nab\r\n" + end_of_chunks),
        accepted("extensions", chunked + "2;a=b;c=\"d;\\\"e\" ; f\r\nab\r\n0;g\r\n\r\n",
                 "POST / [ab]"),
        accepted("zeros before sizes", chunked + "0002\r\nab\r\n00A\r\n0123456789\r\n000\r\n\r\n",
                 "POST / [ab0123456789]"),
        accepted("chunks that look like the last one", chunked + "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
                 "POST / [0\r\n\r\n]"),
    };
}

shapes trailers()
{
    return {
        chunk("a length behind the body", "0\r\nContent-Length: 2\r\n\r\n"),
        chunk("an encoding behind the body", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        chunk("a field behind the body that goes on", "0\r\nA: b\r\n c\r\n\r\n"),
        chunk("a field behind the body with a line feed", "0\r\nA: b\nC: d\r\n\r\n"),
        chunk("a field behind the body with a space before the colon", "0\r\nA : b\r\n\r\n"),
        chunk("a field behind the body with a NUL", "0\r\nA: \0\r\n\r\n"s),
        refused(431, "fields behind the body that are too long",
                chunked + "0\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n"),
        accepted("fields behind the body that would mean something before it",
                 chunked + "2\r\nab\r\n0\r\nHost: c\r\nExpect: d\r\n\r\n", "POST / [ab]"),
    };
}

shapes hosts()
{
    return {
        refused(400, "no Host", "GET / HTTP/1.1\r\n\r\n"),
        refused(400, "two Hosts", get + "Host: c\r\n\r\n"),
        refused(400, "the same Host twice", get + "host: b\r\n\r\n"),
        refused(400, "two Hosts of HTTP/1.0", "GET / HTTP/1.0\r\nHost: b\r\nHost: b\r\n\r\n"),
        accepted("an empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", "GET / []"),
        host("a b"),
        host("a/b"),
        host("a@b"),
        host("b:99999"),
        host("b:80:80"),
        host("b:+80"),
        host("[::1"),
        host("::1"),
        host("b\\c"),
        host("\xc3\xa4"),
        host("b\0"s),
        accepted("an IPv6 address", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / []"),
        accepted("no Host of HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                 "GET / []"),
    };
}

shapes request_lines()
{
    return {
        start(505, "GET / HTTP/2.0"),
        start(505, "GET / HTTP/3.0"),
        start(505, "GET / HTTP/0.9"),
        start(400, "GET / http/1.1"),
        start(400, "GET / HTTP/1.1 "),
        start(400, "GET / HTTP/1.10"),
        start(400, "GET / HTTP/1,1"),
        start(400, "GET / ICY/1.1"),
        start(400, "GET /"),
        start(400, "GET HTTP/1.1"),
        start(400, "GET"),
        start(400, ""),
        start(400, " GET / HTTP/1.1"),
        start(400, "GET  / HTTP/1.1"),
        start(400, "GET /  HTTP/1.1"),
        start(400, "GET\t/ HTTP/1.1"),
        start(400, "GET /\tHTTP/1.1"),
        start(400, "GET /a b HTTP/1.1"),
        start(400, " / HTTP/1.1"),
        start(400, "G@T / HTTP/1.1"),
        start(400, "(GET) / HTTP/1.1"),
        start(400, "G\"T / HTTP/1.1"),
        start(400, "G\0T / HTTP/1.1"s),
        start(400, "\0GET / HTTP/1.1"s),
        start(400, "G\xc3\x84T / HTTP/1.1"),
        start(501, "CONNECT b:80 HTTP/1.1"),
        start(501, "CONNECT / HTTP/1.1"),
        refused(505, "HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        refused(400, "a hello of TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"s),
        refused(400, "another protocol", "SSH-2.0-OpenSSH_9.2\r\n"),
        accepted("a method that nobody knows", "BREW / HTTP/1.1\r\nHost: b\r\n\r\n", "BREW / []"),
    };
}

shapes targets()
{
    return {
        start(400, "GET /\xc3\xa4 HTTP/1.1"),
        start(400, "GET /\x80 HTTP/1.1"),
        start(400, "GET /a\0b HTTP/1.1"s),
        start(400, "GET /a\x7f HTTP/1.1"),
        start(400, "GET /a#b HTTP/1.1"),
        start(400, "GET a HTTP/1.1"),
        start(400, "GET ?a HTTP/1.1"),
        start(400, "GET * HTTP/1.1"),
        start(400, "OPTIONS ** HTTP/1.1"),
        start(400, "GET http:///a HTTP/1.1"),
        start(400, "GET http://u@b/a HTTP/1.1"),
        start(400, "GET ftp://b/a HTTP/1.1"),
        start(400, "GET http:/b/a HTTP/1.1"),
        start(400, "GET b:80 HTTP/1.1"),
        accepted("an absolute target", "GET http://other:8080/a%20b?c HTTP/1.1\r\nHost: b\r\n\r\n",
                 "GET /a b []"),
        accepted("an absolute target without a path", "GET HTTPS://b HTTP/1.1\r\nHost: b\r\n\r\n",
                 "GET / []"),
        accepted("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n", "OPTIONS * []"),
        accepted("two slashes", "GET //a/../b HTTP/1.1\r\nHost: b\r\n\r\n", "GET //a/../b []"),
        // Only who decodes the path can tell; the request was whole.
        {"an escape that is none", "GET /%zz HTTP/1.1\r\nHost: b\r\n\r\n", 400, "", then::goes_on},
        {"an escaped NUL", "GET /%00 HTTP/1.1\r\nHost: b\r\n\r\n", 400, "", then::goes_on},
    };
}

shapes sizes()
{
    std::string many = get;
    for (int count = 0; count < 2'000; ++count)
        many += "a:\r\n";
    std::string long_text(20'000, 'a');
    return {
        refused(431, "a header of 20 kB", get + "A: " + long_text + "\r\n\r\n"),
        refused(431, "a name of 20 kB", get + long_text + ": b\r\n\r\n"),
        refused(431, "a target of 20 kB", "GET /" + long_text + " HTTP/1.1\r\nHost: b\r\n\r\n"),
        refused(431, "a method of 20 kB", long_text + " / HTTP/1.1\r\nHost: b\r\n\r\n"),
        refused(431, "2001 headers", many + "\r\n"),
        accepted("a header of 10 kB", get + "A: " + std::string(10'000, 'a') + "\r\n\r\n",
                 "GET / []"),
    };
}

shapes connections()
{
    return {
        refused(417, "an expectation nobody meets", get + "Expect: a miracle\r\n\r\n"),
        {"the last request", get + "Connection: close\r\n\r\n", 200, "GET / []", then::closes},
        {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, "GET / []", then::closes},
        accepted("an upgrade that nobody knows",
                 get + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET / []"),
        accepted("a body that was asked for with 100-continue",
                 post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab", "POST / [ab]"),
    };
}

// Sends what it can: the server may close meanwhile.
task<> send_pieces(raw_client& client, std::string text, std::size_t size)
{
    for (std::size_t at = 0; at < text.size(); at += size)
    {
        auto piece = text.substr(at, size);
        auto bytes = asio::buffer(piece);
        auto sending = asio::async_write(client.socket(), bytes, brood::detail::use_tuple);
        auto sent = co_await std::move(sending);
        if (std::get<0>(sent))
            co_return;
        if (size == 1)
            co_await brood::sleep(0ms); // a turn of the loop, in which the server reads it
    }
}

// All final responses until the server closes.
task<std::vector<raw_response>> answers(raw_client& client)
{
    std::vector<raw_response> all;
    for (;;)
    {
        auto next = co_await client.response();
        if (!next)
            break;
        if (next->status >= 200)
            all.push_back(*next);
    }
    co_return all;
}

task<> try_shape(const shape& tried, std::size_t piece_size)
{
    http::server server(tell);
    raw_client client(server);
    co_await send_pieces(client, tried.input + marker, piece_size);
    client.end();
    auto all = co_await answers(client);

    if (all.empty())
    {
        FAIL_CHECK("no answer");
        co_return;
    }
    CHECK(all[0].status == tried.status);
    if (!tried.body.empty())
        CHECK(all[0].body == tried.body);
    if (tried.what == then::closes)
    {
        CHECK(all[0].header("Connection") == "close");
        CHECK(all.size() == 1);
    }
    else
    {
        CHECK(all.size() == 2);
        CHECK(all.back().body == marked);
    }

    raw_client next(server);
    co_await next.send(marker);
    auto served = co_await next.response();
    CHECK(served->body == marked);
    client.close();
    next.close();
    co_await server.closed();
}

void try_all(const shapes& table)
{
    for (auto& tried : table)
        for (std::size_t piece_size : {tried.input.size() + marker.size(), std::size_t(1)})
        {
            INFO(tried.name << (piece_size == 1 ? ", byte by byte" : ", whole"));
            within(10s, [&]() { return try_shape(tried, piece_size); });
        }
}

} // namespace

TEST_CASE("no length of a body is taken for another", "[http]")
{
    try_all(lengths());
}

TEST_CASE("no encoding of a body is taken for another", "[http]")
{
    try_all(encodings());
}

TEST_CASE("lines end with CRLF, and fields are in one line", "[http]")
{
    try_all(lines());
}

TEST_CASE("chunks are as long as they say", "[http]")
{
    try_all(chunks());
}

TEST_CASE("fields behind a body follow the rules of those before it", "[http]")
{
    try_all(trailers());
}

TEST_CASE("a request names one host", "[http]")
{
    try_all(hosts());
}

TEST_CASE("a request line is a method, a target and a version that is spoken here", "[http]")
{
    try_all(request_lines());
}

TEST_CASE("a target is a path, a URL or an asterisk", "[http]")
{
    try_all(targets());
}

TEST_CASE("floods of headers get 431", "[http]")
{
    try_all(sizes());
}

TEST_CASE("what a request says of its connection is done", "[http]")
{
    try_all(connections());
}

TEST_CASE("a handler that makes nothing of a refused body does not keep its connection", "[http]")
{
    auto careless = [](http::request& request, http::response& response) -> task<>
    {
        bool whole = true;
        try
        {
            co_await request.body();
        }
        catch (const http::refusal&)
        {
            whole = false;
        }
        std::string_view seen = whole ? "whole" : "broken";
        co_await response.end(seen);
    };
    auto flood = "2;" + std::string(10'000, 'a') + "\r\nab\r\n";
    for (const auto& input :
         {chunked + "x\r\n" + end_of_chunks, chunked + "2\r\nabc\r\n" + end_of_chunks,
          chunked + "0\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n",
          chunked + flood + flood + flood + flood + flood + flood + flood + flood + end_of_chunks})
    {
        auto body = [&]() -> task<>
        {
            http::server server(careless);
            raw_client client(server);
            co_await client.send(input + marker);
            client.end();

            auto all = co_await answers(client);

            CHECK(all.size() == 1);
            CHECK(all.front().body == "broken");
        };
        within(5s, body);
    }
}

// ---- Clients that go, or wait

TEST_WITHIN(20s, "a client may go at any byte of its request", "[http]")
{
    std::size_t served = 0;
    http::server_options options;
    options.on_request = [&](const http::access_record& record)
    {
        served += record.status == 200 ? 1U : 0U;
    };
    options.on_error = [](const http::request&, std::exception_ptr error)
    {
        std::rethrow_exception(error);
    };
    http::server server(tell, options);
    auto request = chunked + "2\r\nab\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size <= request.size(); ++size)
    {
        raw_client client(server);
        co_await client.send(request.substr(0, size));
        if (size % 2 == 0)
            co_await brood::sleep(0ms);
        client.close();
    }
    co_await server.closed();
    CHECK(served <= 1);

    raw_client next(server);
    co_await next.send(marker);
    auto answer = co_await next.response();
    CHECK(answer->body == marked);
}

TEST_WITHIN(5s, "a client may reset its connection while that waits for a request", "[http]")
{
    std::size_t served = 0;
    http::server_options options;
    options.on_request = [&](const http::access_record&)
    {
        ++served;
    };
    http::server server(tell, options);
    raw_client client(server);
    co_await client.send(get + "\r\n");
    co_await eventually(5s, [&] { return served == 1; });
    client.close(); // with something unread, that is a reset

    co_await server.closed();

    CHECK(served == 1);
}

TEST_WITHIN(
    20s, "a client that ends its side in the middle of a request gets 400, and nothing before one",
    "[http]")
{
    http::server server(tell);
    auto request = chunked + "2\r\nab\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size <= request.size(); ++size)
    {
        INFO(size << " bytes");
        raw_client client(server);
        co_await client.send(request.substr(0, size));
        client.end();
        auto all = co_await answers(client);
        auto expected = size == 0 ? 0U : 1U;
        CHECK(all.size() == expected);
        if (!all.empty())
            CHECK(all[0].status == (size == request.size() ? 200 : 400));
    }
    co_await server.closed();
}

TEST_WITHIN(5s, "a client that ends its side behind its requests gets all answers", "[http]")
{
    http::server server(tell);
    raw_client client(server);
    auto one = post + "Content-Length: 2\r\n\r\n";
    co_await client.send(one + "ab" + one + "cd" + get + "\r\n");
    client.end();

    auto all = co_await answers(client);

    REQUIRE(all.size() == 3);
    CHECK(all[0].body == "POST / [ab]");
    CHECK(all[1].body == "POST / [cd]");
    CHECK(all[2].body == "GET / []");
    co_await server.closed();
}

TEST_WITHIN(5s, "an empty line behind the last request is no request", "[http]")
{
    http::server server(tell);
    raw_client client(server);
    co_await client.send(post + "Content-Length: 2\r\n\r\nab\r\n");
    client.end();

    auto all = co_await answers(client);

    CHECK(all.size() == 1);
}

TEST_WITHIN(5s, "garbage behind a good request is refused behind its answer", "[http]")
{
    http::server server(tell);
    for (auto garbage : {"garbage\r\n\r\n"s, "\0\0\0\0"s, "\xff\xfe\r\n\r\n"s, "GET\r\n"s})
    {
        raw_client client(server);
        co_await client.send(post + "Content-Length: 2\r\n\r\nab" + garbage + marker);
        client.end();

        auto all = co_await answers(client);

        REQUIRE(all.size() == 2);
        CHECK(all[0].body == "POST / [ab]");
        CHECK(all[1].status == 400);
    }
    co_await server.closed();
}

TEST_WITHIN(5s, "whoever was refused reads why, although it has sent more", "[http]")
{
    http::server server(tell);
    raw_client client(server);
    co_await client.send("nonsense\r\n\r\n" + std::string(300'000, 'x'));

    auto answer = co_await client.response();

    CHECK(answer->status == 400);
    client.close();
    co_await server.closed();
}

TEST_WITHIN(10s, "a client that sends without end behind its refusal is cut off", "[http]")
{
    http::server server(tell);
    raw_client client(server);
    co_await client.send("nonsense\r\n\r\n");
    co_await send_pieces(client, std::string(100'000'000, 'x'), 1'000'000);

    co_await server.closed();

    CHECK(server.connections() == 0);
}

TEST_WITHIN(20s, "a byte now and then does not win time: a slow head and a slow body get 408",
            "[http]")
{
    http::server_options options;
    options.headers_timeout = 200ms;
    options.request_timeout = 200ms;
    http::server server(tell, options);
    auto slow_body = post + "Content-Length: 1000\r\n\r\n";
    auto slow_chunks = chunked + "3e8\r\n";
    for (const auto& begin : {"GET /"s, get + "A: "s, slow_body, slow_chunks, chunked})
    {
        raw_client client(server);
        co_await client.send(begin);
        auto began = std::chrono::steady_clock::now();
        while (server.connections() != 0)
        {
            auto piece = asio::buffer("1", 1);
            auto sending = asio::async_write(client.socket(), piece, brood::detail::use_tuple);
            auto sent = co_await std::move(sending);
            if (std::get<0>(sent) || std::chrono::steady_clock::now() - began > 700ms)
                break;
            co_await brood::sleep(10ms);
        }
        client.end();
        auto all = co_await answers(client);
        REQUIRE(all.size() == 1);
        CHECK(all[0].status == 408);
        CHECK(all[0].header("Connection") == "close");
    }
    co_await server.closed();
}

TEST_CASE(
    "a connection that comes in the turn in which the last one went costs no more than others",
    "[http]")
{
    auto body = []() -> task<>
    {
        http::server server(tell);
        for (int count = 0; count < 20; ++count)
        {
            raw_client client(server);
            co_await brood::sleep(0ms);
            client.close();
            while (server.connections() != 0)
                co_await asio::post(asio::use_awaitable);
        }
        raw_client idle(server);
        auto before = std::clock();

        co_await brood::sleep(300ms);

        CHECK(std::clock() - before < CLOCKS_PER_SEC / 10);
        CHECK(server.connections() == 1);
    };
    within(10s, body);
}

TEST_WITHIN(20s,
            "many bad clients at once leave nothing behind, and good ones are served beside them",
            "[http]")
{
    http::server server(tell);
    std::vector<raw_client> bad, good;
    for (int count = 0; count < 100; ++count)
    {
        bad.emplace_back(server);
        good.emplace_back(server);
    }
    const shapes tables[] = {lengths(), lines(), chunks(), hosts(), targets()};
    std::size_t number = 0;
    for (auto& client : bad)
    {
        auto& table = tables[number % std::size(tables)];
        auto input = table[number % table.size()].input;
        ++number;
        co_await client.send(input);
    }
    for (auto& client : good)
        co_await client.send(marker);
    for (auto& client : good)
    {
        auto answer = co_await client.response();
        CHECK(answer->body == marked);
    }
    bad.clear();
    good.clear();
    co_await server.closed();
}
