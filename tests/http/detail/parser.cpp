// SPDX-License-Identifier: BSL-1.0
#include <brood/http/detail/parser.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using brood::http::fields;
using brood::http::parser_limits;
using brood::http::refusal;
using brood::http::detail::message_parser;

namespace
{

// What reading a message came to.
struct reading
{
    std::string head; // as a text again
    std::string body;
    std::string trailers;
    std::string rest;     // of the input, behind the message
    unsigned refused = 0; // its status
    bool complete = false;

    friend bool operator==(const reading&, const reading&) = default;
};

std::ostream& operator<<(std::ostream& out, const reading& of)
{
    return out << "head [" << of.head << "] body [" << of.body << "] trailers [" << of.trailers
               << "] rest [" << of.rest << "] refused " << of.refused
               << (of.complete ? " complete" : "");
}

std::string to_text(const fields& from)
{
    std::string text;
    for (auto [name, value] : from)
        text.append(name).append(": ").append(value).append("\n");
    return text;
}

std::string first_line(const brood::http::request_head& head)
{
    return head.method + ' ' + head.target + ' ' + std::to_string(head.version) + '\n';
}

std::string first_line(const brood::http::response_head& head)
{
    return std::to_string(head.version) + ' ' + std::to_string(head.status) + ' ' + head.reason +
           '\n';
}

// Reads one message that comes piece by piece, as a connection does.
template <bool is_request>
class message
{
public:
    explicit message(parser_limits limits = {}) : parser_(head_, trailers_, limits) {}

    message_parser<is_request>& parser() { return parser_; }

    void feed(std::string_view text)
    {
        input_.append(text.data(), text.size());
        if (result_.refused != 0)
            return;
        try
        {
            read();
        }
        catch (const refusal& why)
        {
            result_.refused = why.status();
        }
    }

    // Nothing more comes.
    void end()
    {
        try
        {
            parser_.read_end();
        }
        catch (const refusal& why)
        {
            result_.refused = why.status();
        }
    }

    reading result()
    {
        if (result_.refused != 0)
        {
            // How much came before it was noticed depends on the pieces.
            reading refused;
            refused.refused = result_.refused;
            return refused;
        }
        result_.complete = in_body_ && parser_.done();
        result_.rest = text();
        if (in_body_)
            result_.head = first_line(head_) + to_text(head_.headers);
        result_.trailers = to_text(trailers_);
        return result_;
    }

private:
    std::string_view text() const
    {
        return {reinterpret_cast<const char*>(input_.data().data()), input_.size()};
    }

    void read()
    {
        if (!in_body_)
            in_body_ = parser_.read_head(input_);
        while (in_body_ && !parser_.done())
        {
            auto piece = parser_.read_piece(text());
            if (piece.used == 0)
                break;
            result_.body += piece.bytes;
            input_.consume(piece.used);
        }
    }

    brood::http::detail::message_parser<is_request>::head_type head_;
    fields trailers_;
    message_parser<is_request> parser_;
    brood::buffer input_;
    bool in_body_ = false;
    reading result_;
};

using request = message<true>;
using response = message<false>;

reading read_request(std::string_view text, parser_limits limits = {})
{
    request whole(limits);
    whole.feed(text);
    return whole.result();
}

unsigned refused(std::string_view text, parser_limits limits = {})
{
    return read_request(text, limits).refused;
}

// The same message in two pieces at each place, and byte by byte.
template <bool is_request>
void compare_pieces(std::string_view text, parser_limits limits = {})
{
    message<is_request> whole(limits);
    whole.feed(text);
    auto expected = whole.result();
    for (std::size_t at = 1; at < text.size(); ++at)
    {
        message<is_request> halves(limits);
        halves.feed(text.substr(0, at));
        halves.feed(text.substr(at));
        INFO("in two pieces at " << at << " of [" << text << "]");
        REQUIRE(halves.result() == expected);
    }
    message<is_request> bytes(limits);
    for (auto byte : text)
        bytes.feed({&byte, 1});
    INFO("byte by byte: [" << text << "]");
    CHECK(bytes.result() == expected);
}

const std::string get = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
const std::string chunked = "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n";

parser_limits limits_of(std::size_t head_size, std::size_t field_count = 2'000,
                        std::uint64_t body_size = 1'000'000)
{
    parser_limits limits;
    limits.head_size = head_size;
    limits.field_count = field_count;
    limits.body_size = body_size;
    return limits;
}

} // namespace

TEST_CASE("a request is its method, target, version and fields", "[http_parser]")
{
    auto read = read_request("BREW /pot?size=2 HTTP/1.0\r\nX-One:1\r\nx-two: \t a b \t\r\n"
                             "X-Empty:\r\n\r\nrest");

    CHECK(read.complete);
    CHECK(read.head == "BREW /pot?size=2 10\nX-One: 1\nx-two: a b\nX-Empty: \n");
    CHECK(read.rest == "rest");
}

TEST_CASE("a body is as long as its head says, and the rest is not part of it", "[http_parser]")
{
    auto read = read_request("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\nbody" + get);

    CHECK(read.complete);
    CHECK(read.body == "body");
    CHECK(read.rest == get);
}

TEST_CASE("chunks are put together, and the fields behind them are apart", "[http_parser]")
{
    auto read = read_request(chunked +
                             "4\r\nbody\r\n00A;x=\"a;b\"\r\n, and more\r\n0\r\n"
                             "Digest: abc\r\nHost: other\r\n\r\n" +
                             get);

    CHECK(read.complete);
    CHECK(read.body == "body, and more");
    CHECK(read.trailers == "Digest: abc\nHost: other\n");
    CHECK(read.head.find("Digest") == std::string::npos);
    CHECK(read.rest == get);
}

TEST_CASE("pieces of any size make the same request", "[http_parser]")
{
    for (const auto& text : std::vector<std::string>{
             get,
             get + get,
             "\r\n" + get,
             "OPTIONS * HTTP/1.1\r\nHost: b:80\r\nA:\r\nB: \r\n\r\n\r\n",
             "GET http://b/a?b=c HTTP/1.0\r\n\r\n" + get,
             "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\nbody" + get,
             "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n" + get,
             chunked + "4\r\nbody\r\n1;ext\r\n!\r\n0\r\n\r\n" + get,
             chunked + "a;b = \"c\" ; d=e\r\n0123456789\r\n000\r\nA: b\r\nC: d\r\n\r\n" + get,
             chunked + "0\r\n\r\n",
             "GET / HTTP/1.2\r\nHost: b\r\n\r\n" + get,
             "GET / HTTP/1.1\r\nHost:\r\n\r\n",
         })
        compare_pieces<true>(text);
}

TEST_CASE("a body of no chunks may come byte by byte", "[http_parser]")
{
    // The parser of Beast 1.81 asserts that five bytes are there when it looks again.
    request read;
    read.feed(chunked);
    for (auto byte : std::string("0\r\n\r\n"))
    {
        CHECK(!read.result().complete);
        read.feed({&byte, 1});
    }

    CHECK(read.result().complete);
}

TEST_CASE("what is refused whole is refused in pieces of any size, with the same status",
          "[http_parser]")
{
    for (const auto& text : std::vector<std::string>{
             "GET / HTTP/2.0\r\nHost: b\r\n\r\n",
             "GET / HTTP/1.1x\r\nHost: b\r\n\r\n",
             "GET / http/1.1\r\nHost: b\r\n\r\n",
             "GET  / HTTP/1.1\r\nHost: b\r\n\r\n",
             "\r\n\r\n" + get,
             "GET / HTTP/1.1\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: b\r\nA: b\r\n c\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: b\r\nA:\r\n c\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: b\r\nA: b\r\n \r\n\r\n",
             "GET / HTTP/1.1\nHost: b\n\n" + get,
             "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: gzip\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 1, 1\r\n\r\nx",
             chunked + "x\r\n\r\n",
             chunked + "1\r\nabc\r\n0\r\n\r\n",
             chunked + "1 \r\na\r\n0\r\n\r\n",
             chunked + "0\r\nTransfer-Encoding: chunked\r\n\r\n",
             chunked + "0\r\nA: b\r\n c\r\n\r\n",
         })
        compare_pieces<true>(text);
}

TEST_CASE("limits hold whole and in pieces of any size", "[http_parser]")
{
    auto trailers = "0\r\nA: " + std::string(150, 'x') + "\r\n\r\n";
    auto small = limits_of(100, 10, 10);
    auto long_field = "GET / HTTP/1.1\r\nHost: b\r\nA: " + std::string(150, 'x') + "\r\n\r\n";
    auto long_target = "GET /" + std::string(150, 'x') + " HTTP/1.1\r\nHost: b\r\n\r\n";
    std::string many = "GET / HTTP/1.1\r\nHost: b\r\n";
    for (int count = 0; count < 10; ++count)
        many += "a:\r\n";
    for (const auto& text : {long_field, long_target, many + "\r\n", chunked + trailers,
                             chunked + "1;" + std::string(150, 'x') + "\r\nx\r\n0\r\n\r\n"})
    {
        CHECK(refused(text, small) == 431);
        compare_pieces<true>(text, small);
    }
    for (const auto& text :
         std::vector<std::string>{chunked + "b\r\n0123456789a\r\n0\r\n\r\n",
                                  chunked + "6\r\n012345\r\n6\r\n6789ab\r\n0\r\n\r\n",
                                  "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 11\r\n\r\n"
                                  "0123456789a"})
    {
        CHECK(refused(text, small) == 413);
        compare_pieces<true>(text, small);
    }
}

TEST_CASE("a head as long as the limit is read, and one byte more is refused", "[http_parser]")
{
    auto head = "GET / HTTP/1.1\r\nHost: b\r\nA: " + std::string(100, 'x') + "\r\n\r\n";

    CHECK(read_request(head, limits_of(head.size())).complete);
    compare_pieces<true>(head, limits_of(head.size()));
    CHECK(refused(head, limits_of(head.size() - 1)) == 431);
    auto begun = std::string_view(head).substr(0, head.size() - 1);
    CHECK(refused(begun, limits_of(head.size() - 1)) == 431);
    compare_pieces<true>(begun, limits_of(head.size() - 1));
    compare_pieces<true>(head, limits_of(head.size() - 1));
}

TEST_CASE("what has been refused stays refused, and is never complete", "[http_parser]")
{
    brood::http::request_head head;
    fields trailers;
    brood::http::detail::request_parser parser(head, trailers, limits_of(100));
    brood::buffer input;
    input.append(chunked.data(), chunked.size());
    REQUIRE(parser.read_head(input));
    auto last = "0\r\nA: " + std::string(200, 'x') + "\r\n\r\n";

    CHECK_THROWS_AS(parser.read_piece(last), refusal);
    CHECK(!parser.done());
    CHECK_THROWS_AS(parser.read_piece("0\r\n\r\n"), refusal);
    CHECK(!parser.done());
}

TEST_CASE("a head that never ends is refused as soon as it is too long", "[http_parser]")
{
    request endless(limits_of(1'000));
    endless.feed("GET / HTTP/1.1\r\nA: ");
    std::size_t fed = 0;
    while (endless.result().refused == 0 && fed < 10'000)
    {
        endless.feed("x");
        ++fed;
    }

    CHECK(endless.result().refused == 431);
    CHECK(fed < 1'000);
}

TEST_CASE("fields behind a body count against the limits of a head", "[http_parser]")
{
    auto in_limit = chunked + "0\r\nA: " + std::string(80, 'x') + "\r\n\r\n";
    auto limits = limits_of(100, 2);

    CHECK(read_request(in_limit, limits).complete);
    CHECK(refused(chunked + "0\r\nA: " + std::string(200, 'x') + "\r\n\r\n", limits) == 431);
    CHECK(refused(chunked + "0\r\na:\r\nb:\r\nc:\r\n\r\n", limits) == 431);
}

TEST_CASE("a chunk without end of its size is refused, and one of long extensions", "[http_parser]")
{
    CHECK(refused(chunked + "1;" + std::string(20'000, 'x')) == 431);
    CHECK(refused(chunked + std::string(20'000, '0')) == 431);
    std::string flood = chunked;
    for (int count = 0; count < 20; ++count)
        flood += "1;" + std::string(10'000, 'x') + "\r\na\r\n";
    CHECK(refused(flood) == 400);
}

TEST_CASE("chunks of a byte each are no flood", "[http_parser]")
{
    std::string text = chunked;
    for (int count = 0; count < 100'000; ++count)
        text += "1\r\na\r\n";

    auto read = read_request(text + "0\r\n\r\n");

    CHECK(read.complete);
    CHECK(read.body == std::string(100'000, 'a'));
}

TEST_CASE("an extension of a chunk has no control characters, where others see the end of a line",
          "[http_parser]")
{
    for (const auto& inside : std::vector<std::string>{"\n", "\x01", "\x7f", {'\0'}})
        for (const auto& size : {"1;a=\"", "0;a=\""})
            CHECK(refused(chunked + size + inside + "\"\r\na\r\n0\r\n\r\n") == 400);
    CHECK(read_request(chunked + "1;a=\"\tb\"\r\na\r\n0\r\n\r\n").complete);
}

TEST_CASE("another version gets 505, and what is none 400", "[http_parser]")
{
    for (std::string version : {"HTTP/2.0", "HTTP/0.9", "HTTP/9.9"})
        CHECK(refused("GET / " + version + "\r\nHost: b\r\n\r\n") == 505);
    for (std::string version : {"http/1.1", "HTTP/1.1 ", "HTTP/1.10", "HTTP/11", "HTTP/1", "HTTP/",
                                "HTTP/a.b", "HTTP-1.1", "b HTTP/1.1", "FTP/1.1\t"})
        CHECK(refused("GET / " + version + "\r\nHost: b\r\n\r\n") == 400);
}

TEST_CASE("a later version of HTTP/1 is read as HTTP/1.1", "[http_parser]")
{
    for (std::string version : {"HTTP/1.2", "HTTP/1.9"})
    {
        auto read = read_request("GET /HTTP/1.3 " + version + "\r\nHost: b\r\n\r\n");
        CHECK(read.complete);
        CHECK(read.head == "GET /HTTP/1.3 11\nHost: b\n");
    }
}

TEST_CASE("a Host may be empty where the target names none", "[http_parser]")
{
    CHECK(read_request("GET / HTTP/1.1\r\nHost: \r\n\r\n").complete);
    CHECK(read_request("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n").complete);
    CHECK(refused("GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n") == 400);
    CHECK(refused("GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n") == 400);
}

TEST_CASE("lines that do not end as they should are refused before the head is complete",
          "[http_parser]")
{
    CHECK(refused("GET / HTTP/1.1\n") == 400);
    CHECK(refused("GET / HTTP/1.1\r\nHost: b\n") == 400);
    CHECK(refused("GET / HTTP/1.1 \r\n") == 400);
    CHECK(refused("GET / HTTP/1.1\r\nHost: b \r\n") == 0);
}

TEST_CASE("a body whose end nobody knows is refused, and one in another coding not served",
          "[http_parser]")
{
    auto coded = [](const std::string& coding)
    {
        return refused("POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: " + coding + "\r\n\r\n");
    };
    CHECK(coded("gzip") == 400);
    CHECK(coded("chunked, gzip") == 400);
    CHECK(coded("gzip, chunked") == 501);
    CHECK(coded("gzip ,\tChunked") == 501);
}

TEST_CASE("a response is read as real servers write it", "[http_parser]")
{
    for (const auto& [text, head] : std::vector<std::pair<std::string, std::string>>{
             {"HTTP/1.1 204\r\n\r\n", "11 204 \n"},
             {"HTTP/1.0 204\r\nA: b\r\n\r\n", "10 204 \nA: b\n"},
             {"HTTP/1.2 204 None\r\n\r\n", "11 204 None\n"},
             {"\r\nHTTP/1.1 204 None\r\n\r\n", "11 204 None\n"},
             {"HTTP/1.1 204 None\r\nA: b\r\n c\r\n\td\r\n\r\n", "11 204 None\nA: b c d\n"},
             {"HTTP/1.1 204 None\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
              "11 204 None\nContent-Length: 3\nContent-Length: 3\n"},
         })
    {
        INFO(text);
        response whole;
        whole.feed(text);
        CHECK(whole.result().refused == 0);
        CHECK(whole.result().complete);
        CHECK(whole.result().head == head);
        compare_pieces<false>(text);
    }
    response two;
    two.feed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n");
    CHECK(two.result().refused == 400);
}

TEST_CASE("one empty line may stand before a request, and no more", "[http_parser]")
{
    CHECK(read_request("\r\n" + get).complete);
    CHECK(refused("\r\n\r\n" + get) == 400);
    CHECK(refused("\n" + get) == 400);
    CHECK(refused("\r" + get) == 400);
}

TEST_CASE("the head says whether the connection goes on", "[http_parser]")
{
    auto goes_on = [](const std::string& text)
    {
        request read;
        read.feed(text);
        REQUIRE(read.result().complete);
        return read.parser().keep_alive();
    };

    CHECK(goes_on(get));
    CHECK(!goes_on("GET / HTTP/1.1\r\nHost: b\r\nConnection: x, Close\r\n\r\n"));
    CHECK(!goes_on("GET / HTTP/1.0\r\n\r\n"));
    CHECK(goes_on("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
}

TEST_CASE("an upgrade is asked for by Connection and Upgrade, in the head of HTTP/1.1",
          "[http_parser]")
{
    auto upgrades = [](const std::string& text)
    {
        request read;
        read.feed(text);
        REQUIRE(read.result().complete);
        return read.parser().upgrade();
    };
    std::string both = "Connection: keep-alive, Upgrade\r\nUpgrade: echo\r\n";

    CHECK(upgrades("GET / HTTP/1.1\r\nHost: b\r\n" + both + "\r\n"));
    CHECK(!upgrades("GET / HTTP/1.0\r\n" + both + "\r\n"));
    CHECK(!upgrades("GET / HTTP/1.1\r\nHost: b\r\nUpgrade: echo\r\n\r\n"));
    CHECK(!upgrades("GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n\r\n"));
    CHECK(!upgrades(chunked + "0\r\n" + both + "\r\n"));
}

TEST_CASE("100-continue is all that can be expected, and of HTTP/1.1 only", "[http_parser]")
{
    auto expects = [](const std::string& version)
    {
        request read;
        read.feed("POST / " + version +
                  "\r\nHost: b\r\nExpect: 100-Continue\r\n"
                  "Content-Length: 4\r\n\r\n");
        REQUIRE(read.result().refused == 0);
        return read.parser().expects_continue();
    };

    CHECK(expects("HTTP/1.1"));
    CHECK(!expects("HTTP/1.0"));
    CHECK(refused("GET / HTTP/1.1\r\nHost: b\r\nExpect: a miracle\r\n\r\n") == 417);
}

TEST_CASE("the length of a body is known when the head says it", "[http_parser]")
{
    request read;
    CHECK(!read.parser().begun());
    CHECK(!read.parser().content_length());
    read.feed("POST / HTTP/1.1\r\nContent-Length: 4\r\n");
    CHECK(read.parser().begun());
    CHECK(!read.parser().content_length());
    read.feed("Host: b\r\n\r\n");
    CHECK(read.parser().content_length() == 4);
    CHECK(!read.parser().done());

    request in_chunks;
    in_chunks.feed(chunked);
    CHECK(!in_chunks.parser().content_length());
}

// ---- Responses

TEST_CASE("pieces of any size make the same response", "[http_parser]")
{
    for (const auto& text : std::vector<std::string>{
             "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodyrest",
             "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nA: "
             "b\r\n\r\nrest",
             "HTTP/1.1 204 No Content\r\n\r\nrest",
             "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nrest",
             "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
             "HTTP/1.0 200 OK\r\n\r\nas long as the connection",
             "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nbody",
             "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
             "HTTP/1.1 20 OK\r\n\r\n",
             "ICY 200 OK\r\n\r\n",
         })
        compare_pieces<false>(text);
}

TEST_CASE("a response of no length ends with its connection", "[http_parser]")
{
    response read;
    read.feed("HTTP/1.1 200 OK\r\n\r\nall ");
    read.feed("that comes");
    CHECK(!read.result().complete);
    read.end();

    CHECK(read.result().complete);
    CHECK(read.result().body == "all that comes");
    CHECK(!read.parser().keep_alive());
}

TEST_CASE("a response that is cut off is refused", "[http_parser]")
{
    for (std::string text :
         {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbod",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n"})
    {
        response read;
        read.feed(text);
        CHECK(read.result().refused == 0);
        read.end();
        CHECK(read.result().refused == 400);
    }
}

TEST_CASE("a response to HEAD has no body, whatever its head says", "[http_parser]")
{
    response read(limits_of(1'000, 10, 10));
    read.parser().expect_no_body();
    read.feed("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nHTTP/1.1");

    CHECK(read.result().complete);
    CHECK(read.result().rest == "HTTP/1.1");
    CHECK(read.parser().content_length() == 1'000);
}

TEST_CASE("a response is not refused for what only requests must have", "[http_parser]")
{
    response read;
    read.feed(
        "HTTP/1.1 200 OK\r\nHost: a\r\nHost: b\r\nExpect: nothing\r\nContent-Length: 0\r\n\r\n");

    CHECK(read.result().complete);
}
