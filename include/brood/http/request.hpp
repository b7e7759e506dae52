// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/http/detail/message_reader.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/target.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http
{

/// What a client asks for: its head, and its body as it comes. Lives as long as its handler runs.
/// Follows Node's http.IncomingMessage: https://nodejs.org/api/http.html#class-httpincomingmessage
class request
{
public:
    using endpoint_type = asio::generic::stream_protocol::endpoint;

    /// "GET", "POST" or another token, as it came: in the case that the client chose.
    const std::string& method() const noexcept { return reader_.head().method; }

    /// What follows the method, as it came: "/books?page=2", or "http://host/books", or "*".
    const std::string& target() const noexcept { return reader_.head().target; }

    /// The path of the target, percent-decoded: "/a b" for "/a%20b". Throws refusal(400) when it
    /// cannot be decoded.
    std::string path() const
    {
        if (auto decoded = http::target(target()).path())
            return std::move(*decoded);
        throw refusal(400, "the path is not percent-encoded as it should be");
    }

    /// What stands behind the question mark, as pairs in their order, decoded; `a&b=1` gives a
    /// without a value. Throws refusal(400) when it cannot be decoded.
    query_pairs query() const
    {
        if (auto pairs = http::target(target()).query())
            return std::move(*pairs);
        throw refusal(400, "the query is not percent-encoded as it should be");
    }

    /// The first value under this name in the query, decoded; nothing when there is none, or when
    /// it cannot be decoded.
    std::optional<std::string> query(std::string_view name) const
    {
        return http::target(target()).query(name);
    }

    /// 11 for HTTP/1.1, 10 for HTTP/1.0.
    unsigned version() const noexcept { return reader_.head().version; }

    const fields& headers() const noexcept { return reader_.head().headers; }

    /// The first value of a header; nothing when there is none.
    std::optional<std::string_view> header(std::string_view name) const noexcept
    {
        return headers().find(name);
    }

    /// Whether the client wants to go on with another protocol: response::upgrade().
    bool wants_upgrade() const { return reader_.parser().upgrade(); }

    /// Bytes of the body, when the client says so beforehand.
    std::optional<std::uint64_t> content_length() const
    {
        return reader_.parser().content_length();
    }

    /// Whether all of the body has been read.
    bool complete() const { return reader_.done(); }

    /// The next piece of the body, as it comes, or nothing behind the last. A view until the next
    /// call.
    ///
    /// Suspends until the client has sent something; a client is not read faster than this is
    /// called. "100 Continue" is sent first to a client that waits for it. Throws refusal when the
    /// body is malformed or cut off (400), too long (413) or too slow (408), and std::system_error
    /// when the client has gone; let them leave the handler.
    task<std::optional<std::string_view>> chunk()
    {
        if (must_continue())
            return continue_then_next();
        return reader_.next();
    }

    /// The whole body. Throws as chunk(), and refusal(413) when it has more than `limit` bytes.
    task<std::string> body(std::size_t limit = 1U << 20)
    {
        if (content_length().value_or(0) > limit)
            throw refusal(413, "the body is too long");
        std::string whole;
        for (;;)
        {
            auto piece = co_await chunk();
            if (!piece)
                co_return whole;
            if (piece->size() > limit - whole.size())
                throw refusal(413, "the body is too long");
            whole += *piece;
        }
    }

    /// The fields behind a body in chunks; there once it is complete.
    const fields& trailers() const noexcept { return reader_.trailers(); }

    /// The client. Throws std::system_error when it has gone already.
    endpoint_type remote_endpoint() const { return reader_.stream().socket().remote_endpoint(); }

    /// Where the client connected to.
    endpoint_type local_endpoint() const { return reader_.stream().socket().local_endpoint(); }

    // ---- For the connection

    detail::message_reader<true>& reader() noexcept { return reader_; }

    /// The next request of the connection.
    void begin(detail::byte_stream& from, const parser_limits& limits)
    {
        reader_.begin(from, limits);
        continued_ = answered_ = false;
    }

    /// A client that was never told to send its body may leave it out.
    bool body_is_uncertain() const
    {
        return reader_.parser().expects_continue() && !continued_ && !complete();
    }

    /// The answer has begun: it is too late to say "100 Continue".
    void answered() noexcept { answered_ = true; }

private:
    bool must_continue()
    {
        if (answered_ || !body_is_uncertain())
            return false;
        continued_ = true;
        return reader_.stream().text().empty();
    }

    task<std::optional<std::string_view>> continue_then_next()
    {
        co_await reader_.stream().write("HTTP/1.1 100 Continue\r\n\r\n");
        auto piece = co_await reader_.next();
        co_return piece;
    }

    detail::message_reader<true> reader_;
    bool continued_ = false;
    bool answered_ = false;
};

} // namespace brood::http
