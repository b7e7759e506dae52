// SPDX-License-Identifier: BSL-1.0
// Whatever a client sends, in pieces of any size, an http server answers with a sequence of whole
// responses, each to its own request, then ends the connection and leaves nothing behind.

#include <brood/http/server.hpp>

#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace http = brood::http;

namespace
{

using local = asio::local::stream_protocol;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

// Answers in one piece, or in chunks.
brood::task<> echo(http::request& request, http::response& response)
{
    auto text = request.target() + '\n' + request.path() + '\n';
    for (auto& [name, value] : request.query())
        text += name + '=' + value + '\n';
    while (auto piece = co_await request.chunk())
        text += *piece;
    for (auto [name, value] : request.trailers())
        text.append(name).append(value);
    if (request.method() == "PUT")
    {
        co_await response.write(text);
        co_return;
    }
    co_await response.end(text);
}

// What the server says of a request that it has answered.
struct answered
{
    std::string method, target;
    unsigned status;
};

// Takes what stands before the mark off the front, and the mark.
std::string_view cut(std::string_view& text, std::string_view mark)
{
    auto end = text.find(mark);
    require(end != text.npos);
    auto front = text.substr(0, end);
    text.remove_prefix(end + mark.size());
    return front;
}

std::string_view take(std::string_view& text, std::size_t size)
{
    require(size <= text.size());
    auto front = text.substr(0, size);
    text.remove_prefix(size);
    return front;
}

std::string take_chunks(std::string_view& text)
{
    std::string body;
    for (;;)
    {
        auto size = std::stoul(std::string(cut(text, "\r\n")), nullptr, 16);
        body += take(text, size);
        require(take(text, 2) == "\r\n");
        if (size == 0)
            return body;
    }
}

// A response to this request is next.
void check_response(std::string_view& text, const answered& to)
{
    auto head = std::string(cut(text, "\r\n\r\n")) + "\r\n";
    while (head.starts_with("HTTP/1.1 100 "))
        head = std::string(cut(text, "\r\n\r\n")) + "\r\n";
    require(head.starts_with("HTTP/1.1 " + std::to_string(to.status) + ' '));
    auto length = head.find("\r\nContent-Length: ");
    auto chunked = head.find("\r\nTransfer-Encoding: chunked\r\n");
    require(length == head.npos || chunked == head.npos);
    if (to.method == "HEAD")
        return;
    std::string body;
    if (length != head.npos)
        body = take(text, std::stoul(head.substr(length + 18)));
    else if (chunked != head.npos)
        body = take_chunks(text);
    else
        body = take(text, text.size()); // HTTP/1.0, until the end
    if (to.status == 200)
        require(body.starts_with(to.target + '\n'));
}

// What is there to read; false at the end.
bool drain(int from, std::string& into)
{
    char bytes[4096];
    for (;;)
    {
        auto count = ::recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
        if (count <= 0)
            return count != 0;
        into.append(bytes, static_cast<std::size_t>(count));
    }
}

// One server for all inputs, as making it costs more than most of them.
class served
{
public:
    served() : server_(loop_.get_executor(), echo, options()) {}

    static served& one()
    {
        static served only;
        return only;
    }

    std::vector<answered> records;

    std::size_t connections() const { return server_.connections(); }

    local::socket connect()
    {
        records.clear();
        local::socket ours(loop_), theirs(loop_);
        asio::local::connect_pair(ours, theirs);
        server_.adopt(std::move(theirs));
        return ours;
    }

    void poll()
    {
        loop_.restart();
        loop_.poll();
    }

private:
    http::server_options options()
    {
        http::server_options result;
        result.max_header_size = 512;
        result.max_header_count = 20;
        result.max_body = 1'000;
        result.on_request = [this](const http::access_record& record)
        {
            records.push_back({record.request.method, record.request.target, record.status});
        };
        // The handler itself never fails.
        result.on_error = [](const http::request&, std::exception_ptr)
        {
            std::abort();
        };
        return result;
    }

    asio::io_context loop_{1};
    http::server server_;
};

} // namespace

// Each costs some system calls; http_parser.cpp tries pieces everywhere.
constexpr std::size_t most_pieces = 8;

// The first two bytes are the sizes of pieces, by turns.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3)
        return 0;
    auto& server = served::one();
    auto ours = server.connect();

    static std::string text;
    text.clear();
    bool open = true;
    for (std::size_t at = 2, turn = 0; at < size && open; ++turn)
    {
        auto piece = turn < most_pieces ? 1U + data[turn % 2] : size;
        auto count = std::min(size - at, piece);
        auto sent = ::send(ours.native_handle(), data + at, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        require(sent > 0 || errno == EPIPE || errno == ECONNRESET);
        if (sent <= 0)
            break;
        at += static_cast<std::size_t>(sent);
        server.poll();
        open = drain(ours.native_handle(), text);
    }
    ::shutdown(ours.native_handle(), SHUT_WR);
    for (int turn = 0; turn < 1'000 && server.connections() != 0; ++turn)
    {
        server.poll();
        drain(ours.native_handle(), text);
    }
    require(server.connections() == 0);
    drain(ours.native_handle(), text);

    std::string_view rest = text;
    for (auto& each : server.records)
        check_response(rest, each);
    require(rest.empty());
    return 0;
}
