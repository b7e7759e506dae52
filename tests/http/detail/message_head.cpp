// SPDX-License-Identifier: BSL-1.0
#include <brood/http/detail/message_head.hpp>

#include "support/catch.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace brood::http::detail;
using brood::http::fields;

namespace
{

using pairs = std::vector<std::pair<std::string, std::string>>;

fields fields_of(const pairs& all)
{
    fields made;
    for (auto& [name, value] : all)
        made.add(name, value);
    return made;
}

// One response, and what its head is.
struct row
{
    unsigned status;
    unsigned version;
    bool to_head;
    bool keep_alive;
    std::optional<std::uint64_t> length;
    pairs headers;
    framing how;
    std::string text; // without the status line and the date
};

std::string head_of(const row& each, framing& how)
{
    response_terms terms;
    terms.status = each.status;
    terms.version = each.version;
    terms.to_head = each.to_head;
    terms.keep_alive = each.keep_alive;
    terms.length = each.length;
    auto headers = fields_of(each.headers);
    how = choose_framing(terms, headers);
    std::string text;
    append_response(text, terms, headers, "now");
    return text;
}

const std::string closing = "Connection: close\r\n";
const std::string kept = "Connection: keep-alive\r\n";
const std::string chunks = "Transfer-Encoding: chunked\r\n";

std::string length_of(std::size_t length)
{
    return "Content-Length: " + std::to_string(length) + "\r\n";
}

} // namespace

TEST_CASE("a response is framed by its status, its client and what is known of its length",
          "[message_head]")
{
    const std::vector<row> table = {
        {200, 11, false, true, 5, {}, framing::length, length_of(5)},
        {200, 11, false, true, 0, {}, framing::length, length_of(0)},
        {200, 11, false, false, 5, {}, framing::length, length_of(5) + closing},
        {200, 10, false, true, 5, {}, framing::length, length_of(5) + kept},
        {200, 11, false, true, {}, {}, framing::chunked, chunks},
        {200, 10, false, true, {}, {}, framing::until_close, closing},
        {200, 11, false, true, {}, {{"Content-Length", "7"}}, framing::length, length_of(7)},
        {200, 11, false, true, 5, {{"content-length", "7"}}, framing::length, length_of(7)},
        {200,
         11,
         false,
         true,
         5,
         {{"Connection", "x, Close"}},
         framing::length,
         length_of(5) + closing},
        {200,
         11,
         false,
         true,
         5,
         {{"Transfer-Encoding", "gzip"}, {"A", "b"}},
         framing::length,
         "A: b\r\n" + length_of(5)},
        {204, 11, false, true, 0, {}, framing::none, ""},
        {204, 11, false, true, {}, {}, framing::none, ""},
        {204, 10, false, true, {}, {}, framing::none, kept},
        {304, 11, false, true, 0, {{"Content-Length", "7"}}, framing::none, ""},
        {200, 11, true, true, 5, {}, framing::none, length_of(5)},
        {200, 11, true, true, {}, {}, framing::none, chunks},
        {200, 11, true, true, 0, {}, framing::none, ""},
        {200, 11, true, true, 0, {{"Content-Length", "0"}}, framing::none, length_of(0)},
        {200, 11, true, true, 0, {{"Content-Length", "9"}}, framing::none, length_of(9)},
        {426, 11, false, true, 0, {}, framing::length, length_of(0) + "Connection: Upgrade\r\n"},
    };
    for (auto& each : table)
    {
        auto how = framing::none;
        auto text = head_of(each, how);
        CAPTURE(each.status, each.version, each.to_head, text);
        auto line = "HTTP/1.1 " + std::to_string(each.status) + ' ';
        CHECK(text.starts_with(line));
        CHECK(text.substr(text.find("Date: now\r\n") + 11) == each.text + "\r\n");
        CHECK(how == each.how);
    }
}

TEST_CASE("a response says how long its connection is kept, and nothing when it is not",
          "[message_head]")
{
    auto end_of = [](unsigned status, unsigned version, bool keep_alive, const pairs& own = {})
    {
        response_terms terms;
        terms.status = status;
        terms.version = version;
        terms.keep_alive = keep_alive;
        terms.kept = "timeout=5";
        std::string text;
        append_response(text, terms, fields_of(own), "now");
        auto begin = text.find("Connection: ");
        return text.substr(begin, text.size() - begin - 2);
    };
    auto told = kept + "Keep-Alive: timeout=5\r\n";
    CHECK(end_of(200, 11, true) == told);
    CHECK(end_of(200, 10, true) == told);
    CHECK(end_of(426, 11, true) == "Connection: Upgrade, keep-alive\r\nKeep-Alive: timeout=5\r\n");
    CHECK(end_of(200, 11, false) == closing);
    CHECK(end_of(200, 10, false) == closing);
    CHECK(end_of(200, 11, true, {{"Keep-Alive", "timeout=1"}}) == kept);
}

TEST_CASE("a date of one's own stands in a head alone", "[message_head]")
{
    std::string text;
    append_response(text, response_terms(), fields_of({{"date", "then"}}), "now");

    CHECK(text.find("now") == text.npos);
    CHECK(text.find("date: then\r\n") != text.npos);
}

TEST_CASE("a promised length is a number, or is refused", "[message_head]")
{
    auto promised = [](const std::string& text)
    {
        return promised_length<std::logic_error>(fields_of({{"Content-Length", text}}));
    };
    CHECK(!promised_length<std::logic_error>(fields()));
    CHECK(promised("0") == 0U);
    CHECK(promised("17") == 17U);
    for (std::string wrong : {"", "+1", "-1", "1 ", "1,1", "0x1", "one"})
        CHECK_THROWS_AS(promised(wrong), std::logic_error);
}

TEST_CASE("what a client asks is one line, its fields, and how long its body is", "[message_head]")
{
    request_line line{"PUT", "/a", "b"};

    CHECK(request_text(line, fields(), 0) ==
          "PUT /a HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n");
    CHECK(request_text(line, fields_of({{"host", "c"}}), 3) ==
          "PUT /a HTTP/1.1\r\nhost: c\r\nContent-Length: 3\r\n\r\n");
    line.method = "GET";
    CHECK(request_text(line, fields(), 0) == "GET /a HTTP/1.1\r\nHost: b\r\n\r\n");
    CHECK(request_text(line, fields_of({{"Content-Length", "9"}}), std::nullopt) ==
          "GET /a HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("pieces of a body stand in chunks, or as they are", "[message_head]")
{
    outgoing_body body("response");
    auto sent = [&](framing how, std::uint64_t length, std::vector<std::string> pieces)
    {
        body.begin(how, length);
        std::string whole;
        for (auto& each : pieces)
        {
            auto last = &each == &pieces.back();
            auto framed = last ? body.frame_last(whole, each) : body.frame(whole, each);
            whole.append(framed.text).append(framed.behind);
        }
        return whole;
    };
    CHECK(sent(framing::chunked, 0, {"0123456789abcdef0", "ab", ""}) ==
          "11\r\n0123456789abcdef0\r\n2\r\nab\r\n0\r\n\r\n");
    CHECK(sent(framing::chunked, 0, {"", "ab"}) == "2\r\nab\r\n0\r\n\r\n");
    CHECK(sent(framing::chunked, 0, {""}) == "0\r\n\r\n");
    CHECK(sent(framing::length, 3, {"ab", "c"}) == "abc");
    CHECK(sent(framing::until_close, 0, {"ab", "c"}) == "abc");
    CHECK(body.sent() == 3);
    CHECK(sent(framing::none, 5, {"ab"}) == "");
    CHECK(body.sent() == 0);
}

TEST_CASE("a body that breaks the promise of its head says which way", "[message_head]")
{
    outgoing_body body("response");
    std::string before;
    body.begin(framing::length, 3);

    CHECK_THROWS_WITH(body.frame(before, "abcd"),
                      "brood: http: the response is longer than its Content-Length");
    CHECK_THROWS_WITH(body.frame_last(before, "ab"),
                      "brood: http: the response is shorter than its Content-Length");
    CHECK(before.empty());
    CHECK(body.frame_last(before, "abc").text == "abc");
}
