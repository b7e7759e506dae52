// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/detail/byte_stream.hpp>
#include <brood/http/detail/parser.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http::detail
{

/// A message that is being read from a stream: its head at once, its body piece by piece. Used for
/// one message after the other, so that memory is kept.
template <bool is_request>
class message_reader
{
public:
    using parser_type = message_parser<is_request>;
    using head_type = typename parser_type::head_type;

    /// The next message begins.
    void begin(byte_stream& from, const parser_limits& limits)
    {
        stream_ = &from;
        held_ = 0;
        failed_ = false;
        parser_.emplace(head_, trailers_, limits);
    }

    const head_type& head() const noexcept { return head_; }

    const fields& trailers() const noexcept { return trailers_; }

    parser_type& parser() noexcept { return *parser_; }

    const parser_type& parser() const noexcept { return *parser_; }

    byte_stream& stream() const noexcept { return *stream_; }

    /// Whether what has come is the whole head, which it then reads. Throws refusal.
    bool read_head() { return parser_->read_head(stream_->input()); }

    /// Whether nothing of it was refused or came too late.
    bool is_sound() const noexcept { return !failed_ && !parser_->refused(); }

    /// Whether the body has been read to its end.
    bool done() const noexcept { return parser_->done(); }

    /// The next piece of the body, a view until the next call; nothing behind the last. Throws what
    /// the stream throws, and refusal: also 400 when the other side closes before the end, and 408
    /// when it is too slow.
    task<std::optional<std::string_view>> next()
    {
        let_go();
        while (!parser_->done())
        {
            auto piece = parser_->read_piece(stream_->text());
            held_ = piece.used;
            if (!piece.bytes.empty())
                co_return piece.bytes;
            let_go();
            if (parser_->done())
                break;
            auto read = co_await stream_->read(room());
            if (read != byte_stream::reading::some)
                end(read);
        }
        co_return std::nullopt;
    }

    /// Takes the last piece from the input, which is then where the message ends.
    void let_go() { stream_->input().consume(std::exchange(held_, 0)); }

private:
    std::size_t room() const
    {
        constexpr std::uint64_t most = 65'536;
        auto expected = parser_->content_length().value_or(most);
        return static_cast<std::size_t>(std::clamp<std::uint64_t>(expected, 1, most));
    }

    void end(byte_stream::reading why)
    {
        failed_ = true;
        if (why == byte_stream::reading::later)
            throw refusal(408, "the body came too slowly");
        if constexpr (is_request)
            throw refusal(400, "the request was cut off");
        else if (stream_->at_end())
            parser_->read_end();
        failed_ = false;
        // Else it was woken for another reason, which the next read tells.
    }

    head_type head_;
    fields trailers_;
    std::optional<parser_type> parser_;
    byte_stream* stream_ = nullptr;
    bool failed_ = false;  // reading has ended before the message did
    std::size_t held_ = 0; // bytes of the input that the last piece is made of
};

} // namespace brood::http::detail
