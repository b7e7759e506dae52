// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/http/date_clock.hpp>
#include <brood/http/detail/byte_stream.hpp>
#include <brood/http/detail/message_head.hpp>
#include <brood/http/detail/request_core.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/stream_socket.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http::detail
{

/// What stands behind an http::response: its head until that is sent, and its body.
class response_core
{
public:
    /// The answer to the next request of the connection, which is closed behind it when `closing`
    /// is true when the head is sent.
    void begin(request_core& to, date_clock& clock, const bool& closing)
    {
        to_ = &to;
        stream_ = &to.reader().stream();
        clock_ = &clock;
        closing_ = &closing;
        keep_alive_ = true;
        kept_.clear();
        status_ = 200;
        headers_.clear();
        head_text_.clear();
        state_ = state::open;
        body_.begin(framing::none, 0);
    }

    unsigned status() const noexcept { return status_; }

    void status(unsigned code)
    {
        open_headers();
        if (code < 200 || code > 999)
            throw std::invalid_argument("brood: http: no status of a response: " +
                                        std::to_string(code));
        status_ = code;
    }

    const fields& headers() const noexcept { return headers_; }

    /// To change them. Throws std::logic_error once the head has been sent.
    fields& open_headers()
    {
        if (begun())
            throw std::logic_error("brood: http: the head of this response has been sent");
        return headers_;
    }

    bool begun() const noexcept { return state_ != state::open; }

    bool ended() const noexcept { return state_ == state::ended || state_ == state::upgraded; }

    bool is_upgraded() const noexcept { return state_ == state::upgraded; }

    bool keep_alive() const noexcept { return keep_alive_; }

    /// How long the connection is kept behind this response, in the words of Keep-Alive.
    void tell_kept(std::string_view text) { kept_ = text; }

    /// This is the last response of the connection.
    void close_after() noexcept { keep_alive_ = false; }

    /// Bytes of the body that were sent.
    std::uint64_t body_size() const noexcept { return body_.sent(); }

    /// Whether only the end of the connection says where this response ends.
    bool ends_with_connection() const noexcept
    {
        return begun() && body_.how() == framing::until_close;
    }

    /// Forgets what a handler has prepared, for an answer in its place.
    void restart(unsigned status, const fields& headers)
    {
        headers_ = headers;
        status_ = status;
        body_.begin(framing::none, 0);
    }

    task<> write(std::string_view text)
    {
        must_not_be_ended();
        auto framed = frame(text);
        parts all = {head_text_, framed.text, framed.behind};
        if (!stream_->write_some(all))
            co_await stream_->write(all[0], all[1], all[2]);
        head_text_.clear();
    }

    task<> end(std::string_view text = {})
    {
        must_not_be_ended();
        auto framed = frame_last(text);
        parts all = {head_text_, framed.text, framed.behind};
        state_ = state::ended;
        if (!stream_->write_some(all))
            co_await stream_->write(all[0], all[1], all[2]);
        head_text_.clear();
    }

    task<> end_with_file(int file, std::uint64_t offset, std::uint64_t count)
    {
        auto promised = std::to_string(count);
        open_headers().set("Content-Length", promised);
        make_head(count);
        state_ = state::ended;
        co_await stream_->write(head_text_);
        head_text_.clear();
        if (body_.how() == framing::none)
            co_return;
        co_await stream_->write_file(file, offset, count);
        body_.count(count);
    }

    task<> early_hints(const fields& hints)
    {
        open_headers();
        std::string text;
        if (to_->head().version >= 11)
        {
            text = "HTTP/1.1 103 Early Hints\r\n";
            append_fields(text, hints, frames_response);
            text += "\r\n";
        }
        return send(*stream_, std::move(text));
    }

    task<upgraded> upgrade(std::string protocol)
    {
        open_headers();
        if (!to_->asks_for(protocol) || !to_->complete())
            throw refusal(426, "this is for clients that ask for an upgrade to " + protocol,
                          {{"Upgrade", protocol}}); // RFC 9110, section 15.5.22
        headers_.set("Upgrade", protocol);
        std::string text = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
        append_fields(text, headers_, frames_response);
        text += "\r\n";
        state_ = state::upgraded;
        status_ = 101;
        keep_alive_ = false;
        to_->reader().let_go(); // what has been read of a body
        co_await stream_->write(text);
        std::string read(stream_->text());
        upgraded given(std::move(stream_->socket()), std::move(read));
        co_return given;
    }

private:
    // Sent at once without another coroutine, as long as the kernel has room.
    using parts = std::array<std::string_view, 3>;

    enum class state
    {
        open,     // nothing has been sent
        begun,    // the head has been sent
        ended,    // all has been sent
        upgraded, // the connection is not ours any more
    };

    void must_not_be_ended() const
    {
        if (ended())
            throw std::logic_error("brood: http: this response has ended");
    }

    static task<> send(byte_stream& out, std::string text) { co_await out.write(text); }

    // A head that has not been sent is taken back when the body is not as long as it promised, so
    // that another answer can be given.
    outgoing_body::piece frame(std::string_view text)
    {
        if (!begun())
            make_head(std::nullopt);
        try
        {
            return body_.frame(head_text_, text);
        }
        catch (const std::logic_error&)
        {
            take_back();
            throw;
        }
    }

    outgoing_body::piece frame_last(std::string_view text)
    {
        if (!begun())
            make_head(text.size());
        try
        {
            return body_.frame_last(head_text_, text);
        }
        catch (const std::logic_error&)
        {
            take_back();
            throw;
        }
    }

    void take_back() noexcept
    {
        if (!head_text_.empty())
            state_ = state::open;
    }

    // A response of a length that is known beforehand, or not.
    void make_head(std::optional<std::uint64_t> length)
    {
        response_terms terms;
        terms.status = status_;
        terms.version = to_->head().version;
        terms.to_head = to_->head().method == "HEAD";
        terms.keep_alive =
            keep_alive_ && !*closing_ && to_->is_sound() && !to_->body_is_uncertain();
        terms.length = length;
        terms.kept = kept_;
        if (length && to_->leaves_too_much())
            terms.keep_alive = false; // the handler is done, and did not read it
        auto how = choose_framing(terms, headers_);
        keep_alive_ = terms.keep_alive;
        head_text_.clear();
        append_response(head_text_, terms, headers_, clock_->now());
        body_.begin(how, terms.length.value_or(0));
        state_ = state::begun;
        to_->answered();
    }

    request_core* to_ = nullptr;
    byte_stream* stream_ = nullptr;
    date_clock* clock_ = nullptr;
    const bool* closing_ = nullptr;
    unsigned status_ = 200;
    fields headers_;
    std::string kept_;
    std::string head_text_; // what is sent before the next piece of the body
    state state_ = state::open;
    outgoing_body body_{"response"};
    bool keep_alive_ = true;
};

} // namespace brood::http::detail
