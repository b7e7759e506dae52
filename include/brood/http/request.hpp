// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/stream_socket.hpp>
#include <brood/http/target.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood::http
{

namespace detail
{
class request_core;
struct server_exchange;
} // namespace detail

/// What a client asks for: its head, and its body as it comes. Lives as long as its handler runs.
/// Follows Node's http.IncomingMessage: https://nodejs.org/api/http.html#class-httpincomingmessage
class request
{
public:
    using endpoint_type = stream_endpoint;

    request(const request&) = delete;
    request& operator=(const request&) = delete;

    /// "GET", "POST" or another token, as it came: in the case that the client chose.
    const std::string& method() const noexcept;

    /// What follows the method, as it came: "/books?page=2", or "http://host/books", or "*".
    const std::string& target() const noexcept;

    /// The path of the target, percent-decoded: "/a b" for "/a%20b". Throws refusal(400) when it
    /// cannot be decoded.
    std::string path() const;

    /// What stands behind the question mark, as pairs in their order, decoded; `a&b=1` gives a
    /// without a value. Throws refusal(400) when it cannot be decoded.
    query_pairs query() const;

    /// The first value under this name in the query, decoded; nothing when there is none, or when
    /// it cannot be decoded.
    std::optional<std::string> query(std::string_view name) const;

    /// 11 for HTTP/1.1, 10 for HTTP/1.0.
    unsigned version() const noexcept;

    const fields& headers() const noexcept;

    /// The first value of a header; nothing when there is none.
    std::optional<std::string_view> header(std::string_view name) const noexcept;

    /// Whether the client wants to go on with another protocol: response::upgrade().
    bool wants_upgrade() const;

    /// Bytes of the body, when the client says so beforehand.
    std::optional<std::uint64_t> content_length() const;

    /// Whether all of the body has been read.
    bool complete() const;

    /// The next piece of the body, as it comes, or nothing behind the last. A view until the next
    /// call.
    ///
    /// Suspends until the client has sent something; a client is not read faster than this is
    /// called. "100 Continue" is sent first to a client that waits for it. Throws refusal when the
    /// body is malformed or cut off (400), too long (413) or too slow (408), and std::system_error
    /// when the client has gone; let them leave the handler.
    task<std::optional<std::string_view>> chunk();

    /// The whole body. Throws as chunk(), and refusal(413) when it has more than `limit` bytes.
    task<std::string> body(std::size_t limit = 1U << 20);

    /// The fields behind a body in chunks; there once it is complete.
    const fields& trailers() const noexcept;

    /// Resumes when the client has closed its end of the connection: nobody may wait for the
    /// answer any more. One that goes without a word is noticed when TCP does. To be awaited while
    /// the handler runs, beside its work: `co_await (work() || request.gone())`.
    task<> gone();

    /// The client. Throws std::system_error when it has gone already.
    endpoint_type remote_endpoint() const;

    /// Where the client connected to.
    endpoint_type local_endpoint() const;

private:
    friend detail::server_exchange;

    explicit request(detail::request_core& core) noexcept : core_(core) {}

    detail::request_core& core_;
};

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/request.ipp>
#endif
