// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/stream_socket.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace brood::http
{

namespace detail
{
class response_core;
struct server_exchange;
} // namespace detail

/// What a handler answers: status and headers first, then a body, in pieces or whole. Lives as long
/// as its handler runs; when that returns, what is missing is made up for.
///
/// Brood writes the length or the chunks of the body, Connection and Date.
/// Follows Node's http.ServerResponse: https://nodejs.org/api/http.html#class-httpserverresponse
class response
{
public:
    response(const response&) = delete;
    response& operator=(const response&) = delete;

    unsigned status() const noexcept;

    /// 200 when nothing is said. Throws std::logic_error once the head has been sent, and
    /// std::invalid_argument for what no final response has: below 200 or above 999.
    response& status(unsigned code);

    /// What is sent before the body.
    const fields& headers() const noexcept;

    /// Puts a header in the place of all those of the same name. A Content-Length is a promise: as
    /// many bytes have to follow. Throws std::logic_error once the head has been sent, and
    /// std::invalid_argument as fields::add.
    response& set(std::string_view name, std::string_view value);

    /// Adds a header beside those of the same name: Set-Cookie. Throws as set().
    response& add(std::string_view name, std::string_view value);

    /// Removes all headers of this name.
    response& remove(std::string_view name);

    /// Whether the head has been sent, so that status and headers cannot change any more.
    bool begun() const noexcept;

    /// Whether nothing can be sent any more.
    bool ended() const noexcept;

    /// Sends a piece of the body, behind the head when that has not been sent: in chunks when no
    /// Content-Length is set. The text must live until this is done.
    ///
    /// Resumes when the kernel has all of it: a slow client is waited for. Throws std::system_error
    /// when the client has gone, errc::timed_out when it takes nothing for too long (let both leave
    /// the handler), and std::logic_error behind the end or for more than Content-Length.
    task<> write(std::string_view text);

    /// Sends the last piece of the body, or all of it: then the head says how long it is. Throws as
    /// write().
    task<> end(std::string_view text = {});

    /// Sends a part of an open file as the whole body, without copying it. Throws as write(), and
    /// std::system_error (EIO) when the file is shorter.
    task<> end_with_file(int file, std::uint64_t offset, std::uint64_t count);

    /// Tells the client, before the response, what it may load meanwhile (Link). Nothing for a
    /// client that speaks HTTP/1.0. Throws as write().
    /// Follows https://nodejs.org/api/http.html#responsewriteearlyhintshints-callback
    task<> early_hints(const fields& hints);

    /// Agrees to go on with another protocol (101), and gives the connection away. The handler may
    /// go on with it, or hand it to others and return. Headers that were set are sent. Throws
    /// refusal(426) when the client asked for no such thing.
    task<upgraded> upgrade(std::string protocol);

private:
    friend detail::server_exchange;

    explicit response(detail::response_core& core) noexcept : core_(core) {}

    detail::response_core& core_;
};

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/response.ipp>
#endif
