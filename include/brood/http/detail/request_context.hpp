// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/http/client_options.hpp>
#include <brood/http/client_request.hpp>
#include <brood/http/detail/byte_stream.hpp>
#include <brood/http/detail/message_head.hpp>
#include <brood/http/detail/parser.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace brood::http::detail
{

/// An error of the system in the standard's category: Asio 1.22 has one of its own, whose errors
/// equal no std::errc.
inline std::error_code plain(std::error_code said)
{
    if (said.category() == asio::error::get_system_category())
        return {said.value(), std::system_category()};
    return said;
}

/// A request that is being made: how long its steps may take, and how errors name it.
class request_context
{
public:
    using clock = byte_stream::clock;

    request_context(client_request asked, client_options chosen, bool is_streamed)
        : request(std::move(asked)), options(std::move(chosen)), streamed(is_streamed),
          whole_until_(after(clock::now(), options.total_timeout))
    {
    }

    const client_request request;
    const client_options options;
    const bool streamed; ///< The body comes in pieces.

    bool to_head() const { return request.method() == "HEAD"; }

    /// Whether it may be sent a second time when nobody knows what became of the first.
    bool is_repeatable() const { return !streamed && is_idempotent(); }

    /// Whether asking twice does no more than asking once: RFC 9110, section 9.2.2.
    bool is_idempotent() const
    {
        for (auto known : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
            if (request.method() == known)
                return true;
        return false;
    }

    bool wants_close() const
    {
        auto said = request.headers().find("Connection");
        return said && list_has(*said, "close");
    }

    const destination& to() const noexcept { return request.to_; }

    /// The same for all that a connection serves.
    std::string key() const
    {
        return to().path.empty() ? to().host + ' ' + std::to_string(to().port)
                                 : "unix:" + to().path;
    }

    /// The Content-Length that the caller has set: a promise for a body in pieces. Throws
    /// std::invalid_argument when it is no number.
    std::optional<std::uint64_t> promised_length() const
    {
        return detail::promised_length<std::invalid_argument>(request.headers());
    }

    /// What is sent before the body, which has this length, or comes in chunks.
    std::string head(std::optional<std::uint64_t> length) const
    {
        request_line line{request.method(), to().target, to().authority};
        return request_text(line, request.headers(), length);
    }

    parser_limits limits() const
    {
        auto any = options.max_body == 0 || to_head();
        return {options.max_header_size, options.max_header_count,
                any ? std::numeric_limits<std::uint64_t>::max() : options.max_body};
    }

    /// When a step that may take so long ends at the latest.
    clock::time_point until(clock::time_point from, std::chrono::milliseconds time) const
    {
        return std::min(after(from, time), whole_until_);
    }

    /// "brood: http: GET http://host/path: " and this text.
    std::string text(const std::string& what) const
    {
        auto& url = request.url();
        return "brood: http: " + request.method() + ' ' + url.substr(0, url.find('#')) + ": " +
               what;
    }

    error failure(errc value, const std::string& what) const { return {value, text(what)}; }

    std::system_error failure(std::error_code value, const std::string& what) const
    {
        return {plain(value), text(what)};
    }

    /// What to throw when a step took longer than it may, or all of them together.
    error late(const std::string& step, std::chrono::milliseconds time) const
    {
        if (whole_until_ <= clock::now())
            return failure(errc::timed_out, "still " + step + " when all that it may take, " +
                                                std::to_string(options.total_timeout.count()) +
                                                " ms, had passed");
        return failure(errc::timed_out,
                       step + " took longer than " + std::to_string(time.count()) + " ms");
    }

private:
    static clock::time_point after(clock::time_point from, std::chrono::milliseconds time)
    {
        return time.count() == 0 ? byte_stream::never : from + time;
    }

    clock::time_point whole_until_;
};

} // namespace brood::http::detail
