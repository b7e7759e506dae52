// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/http/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http
{

struct response_head;

namespace detail
{
class client_exchange;
struct client_core;
} // namespace detail

/// What a server answered, as a whole.
struct answer
{
    answer() = default; // no aggregate: g++ 12 destroys those twice in an await

    unsigned status = 0;
    fields headers;
    std::string body;
    fields trailers; ///< The fields behind a body in chunks.

    /// Whether the status says success: 200 to 299.
    bool ok() const noexcept { return status / 100 == 2; }

    /// The first value of a header; nothing when there is none.
    std::optional<std::string_view> header(std::string_view name) const noexcept
    {
        return headers.find(name);
    }
};

/// What a server answers: its head, which has come, and its body as it comes.
///
/// One that is dropped before its body was read to the end closes its connection, and so does one
/// whose reading is cancelled or fails; else the connection goes back to the client.
class client_response
{
public:
    client_response() = default; ///< Only a place for one.

    unsigned status() const noexcept;

    /// The words behind the status; no program should depend on them.
    const std::string& reason() const noexcept;

    /// 11 for HTTP/1.1, 10 for HTTP/1.0.
    unsigned version() const noexcept;

    const fields& headers() const noexcept;

    /// The first value of a header; nothing when there is none.
    std::optional<std::string_view> header(std::string_view name) const noexcept;

    /// What the server said before it knew its answer: the fields of responses with status 103.
    const fields& early_hints() const noexcept;

    /// Bytes of the body, when the server says so beforehand.
    std::optional<std::uint64_t> content_length() const;

    /// Whether all of the body has been read.
    bool complete() const;

    /// The next piece of the body, as it comes, or nothing behind the last. A view until the next
    /// call.
    ///
    /// Suspends until the server has sent something; a server is not read faster than this is
    /// called. Throws brood::error, which names the URL: errc::closed when the body is cut off,
    /// errc::malformed, errc::too_large and errc::timed_out as client_options say.
    task<std::optional<std::string_view>> chunk();

    /// The whole body. Throws as chunk(), and errc::too_large when it has more than `limit` bytes.
    task<std::string> body(std::size_t limit = 1U << 20);

    /// The fields behind a body in chunks; there once it is complete.
    const fields& trailers() const noexcept;

private:
    friend class upload;
    friend detail::client_core;

    explicit client_response(std::shared_ptr<detail::client_exchange> exchange) noexcept
        : exchange_(std::move(exchange))
    {
    }

    const response_head& head() const noexcept;

    std::shared_ptr<detail::client_exchange> exchange_;
};

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/client_response.ipp>
#endif
