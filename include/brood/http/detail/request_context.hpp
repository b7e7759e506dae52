// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/http/client_options.hpp>
#include <brood/http/client_request.hpp>
#include <brood/http/detail/byte_stream.hpp>
#include <brood/http/parser.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
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
    bool is_repeatable() const { return !streamed && request.is_idempotent(); }

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
