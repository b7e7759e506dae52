// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/http/detail/message_reader.hpp>
#include <brood/http/detail/whole_body.hpp>
#include <brood/http/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood::http::detail
{

/// What stands behind an http::request: the reader of its message, and "100 Continue".
class request_core
{
public:
    /// The next request of the connection.
    void begin(byte_stream& from, const parser_limits& limits)
    {
        reader_.begin(from, limits);
        continued_ = answered_ = false;
    }

    message_reader<true>& reader() noexcept { return reader_; }

    const request_head& head() const noexcept { return reader_.head(); }

    bool complete() const { return reader_.done(); }

    /// See request::chunk().
    task<std::optional<std::string_view>> chunk()
    {
        if (must_continue())
            return continue_then_next();
        return reader_.next();
    }

    task<std::string> body(std::size_t limit) { return read_whole(source{this}, limit); }

    /// Whether what comes behind this request can be read, as far as it is known.
    bool is_sound() const noexcept { return reader_.is_sound(); }

    /// Whether more of the body is to come than is read for the sake of the connection.
    bool leaves_too_much() const
    {
        return !complete() && reader_.parser().content_length().value_or(0) > most_discarded;
    }

    static constexpr std::size_t most_discarded = 65'536;

    /// Whether the client wants to go on with this protocol: one of those that it names (RFC 9110,
    /// section 7.8).
    bool asks_for(std::string_view protocol) const
    {
        auto named = head().headers.joined("Upgrade");
        return reader_.parser().upgrade() && named && list_has(*named, protocol);
    }

    /// A client that was never told to send its body may leave it out.
    bool body_is_uncertain() const
    {
        return reader_.parser().expects_continue() && !continued_ && !complete();
    }

    /// The answer has begun: it is too late to say "100 Continue".
    void answered() noexcept { answered_ = true; }

private:
    struct source
    {
        request_core* of;

        std::uint64_t expected() const { return of->reader_.parser().content_length().value_or(0); }

        task<std::optional<std::string_view>> next() const { return of->chunk(); }

        [[noreturn]] void refuse(std::size_t) const { throw refusal(413, "the body is too long"); }
    };

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

    message_reader<true> reader_;
    bool continued_ = false;
    bool answered_ = false;
};

} // namespace brood::http::detail
