// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/http/date_clock.hpp>
#include <brood/http/detail/byte_stream.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/request.hpp>
#include <brood/http/status.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http
{

/// A connection that has left HTTP: response::upgrade() gives it.
struct upgraded
{
    upgraded() = default; // no aggregate: g++ 12 destroys those twice in an await

    upgraded(asio::generic::stream_protocol::socket connection, std::string bytes)
        : socket(std::move(connection)), already_read(std::move(bytes))
    {
    }

    std::optional<asio::generic::stream_protocol::socket> socket;
    std::string already_read; ///< What the client sent behind its request.
};

/// What a handler answers: status and headers first, then a body, in pieces or whole. Lives as long
/// as its handler runs; when that returns, what is missing is made up for.
///
/// Brood writes the length or the chunks of the body, Connection and Date.
/// Follows Node's http.ServerResponse: https://nodejs.org/api/http.html#class-httpserverresponse
class response
{
public:
    unsigned status() const noexcept { return status_; }

    /// 200 when nothing is said. Throws std::logic_error once the head has been sent, and
    /// std::invalid_argument for what no final response has: below 200 or above 999.
    response& status(unsigned code)
    {
        must_be_open();
        if (code < 200 || code > 999)
            throw std::invalid_argument("brood: http: no status of a response: " +
                                        std::to_string(code));
        status_ = code;
        return *this;
    }

    /// What is sent before the body.
    const fields& headers() const noexcept { return headers_; }

    /// Puts a header in the place of all those of the same name. A Content-Length is a promise: as
    /// many bytes have to follow. Throws std::logic_error once the head has been sent, and
    /// std::invalid_argument as fields::add.
    response& set(std::string_view name, std::string_view value)
    {
        must_be_open();
        headers_.set(name, value);
        return *this;
    }

    /// Adds a header beside those of the same name: Set-Cookie. Throws as set().
    response& add(std::string_view name, std::string_view value)
    {
        must_be_open();
        headers_.add(name, value);
        return *this;
    }

    /// Removes all headers of this name.
    response& remove(std::string_view name)
    {
        must_be_open();
        headers_.remove(name);
        return *this;
    }

    /// Whether the head has been sent, so that status and headers cannot change any more.
    bool begun() const noexcept { return state_ != state::open; }

    /// Whether nothing can be sent any more.
    bool ended() const noexcept { return state_ == state::ended || state_ == state::upgraded; }

    /// Sends a piece of the body, behind the head when that has not been sent: in chunks when no
    /// Content-Length is set. The text must live until this is done.
    ///
    /// Resumes when the kernel has all of it: a slow client is waited for. Throws std::system_error
    /// when the client has gone, errc::timed_out when it takes nothing for too long (let both leave
    /// the handler), and std::logic_error behind the end or for more than Content-Length.
    task<> write(std::string_view text)
    {
        must_not_be_ended();
        auto framed = frame(text);
        parts all = {head_text_, framed, after_chunk()};
        if (!stream_->write_some(all))
            co_await stream_->write(all[0], all[1], all[2]);
        head_text_.clear();
    }

    /// Sends the last piece of the body, or all of it: then the head says how long it is. Throws as
    /// write().
    task<> end(std::string_view text = {})
    {
        must_not_be_ended();
        auto framed = frame_last(text);
        auto behind = framing_ == framing::chunked ? last_chunk(framed) : std::string_view();
        parts all = {head_text_, framed, behind};
        state_ = state::ended;
        if (!stream_->write_some(all))
            co_await stream_->write(all[0], all[1], all[2]);
        head_text_.clear();
    }

    /// Sends a part of an open file as the whole body, without copying it. Throws as write(), and
    /// std::system_error (EIO) when the file is shorter.
    task<> end_with_file(int file, std::uint64_t offset, std::uint64_t count)
    {
        must_be_open();
        auto promised = std::to_string(count);
        headers_.set("Content-Length", promised);
        make_head(count);
        state_ = state::ended;
        co_await stream_->write(head_text_);
        head_text_.clear();
        if (framing_ != framing::none)
        {
            co_await stream_->write_file(file, offset, count);
            sent_ = count;
        }
        left_ = 0;
    }

    /// Tells the client, before the response, what it may load meanwhile (Link). Nothing for a
    /// client that speaks HTTP/1.0. Throws as write().
    /// Follows https://nodejs.org/api/http.html#responsewriteearlyhintshints-callback
    task<> early_hints(const fields& hints)
    {
        must_be_open();
        std::string text;
        if (to_->version() >= 11)
        {
            text = "HTTP/1.1 103 Early Hints\r\n";
            append(text, hints);
            text += "\r\n";
        }
        return send(*stream_, std::move(text));
    }

    /// Agrees to go on with another protocol (101), and gives the connection away. The handler may
    /// go on with it, or hand it to others and return. Headers that were set are sent. Throws
    /// refusal(426) when the client asked for no such thing.
    task<upgraded> upgrade(std::string protocol)
    {
        must_be_open();
        if (!to_->wants_upgrade() || !to_->complete())
        {
            headers_.clear();
            headers_.set("Upgrade", protocol); // RFC 9110, section 15.5.22
            throw refusal(426, "this is for clients that ask for an upgrade to " + protocol);
        }
        headers_.set("Upgrade", protocol);
        std::string text = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
        append(text, headers_);
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

    // ---- For the connection

    /// The answer to the next request of the connection, which is closed behind it when `closing`
    /// is true when the head is sent.
    void begin(request& to, date_clock& clock, const bool& closing)
    {
        to_ = &to;
        stream_ = &to.reader().stream();
        clock_ = &clock;
        closing_ = &closing;
        keep_alive_ = true;
        status_ = 200;
        headers_.clear();
        head_text_.clear();
        state_ = state::open;
        left_ = sent_ = 0;
    }

    bool is_upgraded() const noexcept { return state_ == state::upgraded; }

    bool keep_alive() const noexcept { return keep_alive_; }

    /// This is the last response of the connection.
    void close_after() noexcept { keep_alive_ = false; }

    /// Bytes of the body that were sent.
    std::uint64_t body_size() const noexcept { return sent_; }

    /// Whether only the end of the connection says where this response ends.
    bool ends_with_connection() const noexcept
    {
        return begun() && framing_ == framing::until_close;
    }

    /// Forgets what a handler has prepared, for an answer in its place.
    void restart(unsigned status)
    {
        if (status != 426)
            headers_.clear();
        status_ = status;
        sent_ = 0;
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

    enum class framing
    {
        none,        // a response that has no body: to HEAD, 204, 304
        length,      // as long as the head says
        chunked,     // in chunks
        until_close, // as long as the connection, for HTTP/1.0
    };

    void must_be_open() const
    {
        if (begun())
            throw std::logic_error("brood: http: the head of this response has been sent");
    }

    void must_not_be_ended() const
    {
        if (ended())
            throw std::logic_error("brood: http: this response has ended");
    }

    static task<> send(detail::byte_stream& out, std::string text) { co_await out.write(text); }

    // What of a piece of the body is sent; what stands before it is in head_text_ then.
    std::string_view frame(std::string_view text)
    {
        if (!begun())
            make_head(std::nullopt);
        count(text.size());
        chunk_is_open_ = framing_ == framing::chunked && !text.empty();
        if (framing_ == framing::none)
            return {};
        if (chunk_is_open_)
            append_chunk_size(text.size());
        return text;
    }

    std::string_view frame_last(std::string_view text)
    {
        if (!begun())
            make_head(text.size());
        auto framed = frame(text);
        if (framing_ == framing::length && left_ != 0)
            break_promise("shorter");
        return framed;
    }

    std::string_view after_chunk() const
    {
        return chunk_is_open_ ? std::string_view("\r\n") : std::string_view();
    }

    std::string_view last_chunk(std::string_view framed) const
    {
        std::string_view both = "\r\n0\r\n\r\n";
        return framed.empty() ? both.substr(2) : both;
    }

    void count(std::size_t size)
    {
        if (framing_ == framing::none)
            return;
        if (framing_ == framing::length)
        {
            if (size > left_)
                break_promise("longer");
            left_ -= size;
        }
        sent_ += size;
    }

    // A head that has not been sent is taken back, so that another answer can be given.
    [[noreturn]] void break_promise(const char* how)
    {
        if (!head_text_.empty())
            state_ = state::open;
        throw std::logic_error(std::string("brood: http: the response is ") + how +
                               " than its Content-Length");
    }

    void append_chunk_size(std::size_t size)
    {
        std::array<char, 18> digits;
        auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
        head_text_.append(digits.data(), end).append("\r\n");
    }

    // A response of a length that is known beforehand, or not.
    void make_head(std::optional<std::uint64_t> length)
    {
        if (auto promised = headers_.find("Content-Length"))
            length = promised_length(*promised);
        // What GET would get is unknown when the handler of a HEAD writes nothing (RFC 9110, 8.6).
        auto head = to_->method() == "HEAD";
        auto untold = head && length == 0U && !headers_.has("Content-Length");
        auto bodyless = status_ == 204 || status_ == 304 || untold;
        choose_framing(length, bodyless || head);
        if (auto said = headers_.find("Connection");
            *closing_ || (said && list_has(*said, "close")))
            keep_alive_ = false;
        head_text_ = "HTTP/1.1 ";
        append_number(status_);
        head_text_.append(" ").append(reason(status_)).append("\r\n");
        if (!headers_.has("Date"))
            head_text_.append("Date: ").append(clock_->now()).append("\r\n");
        append(head_text_, headers_);
        append_framing(length, bodyless);
        head_text_ += "\r\n";
        state_ = state::begun;
        to_->answered();
    }

    void choose_framing(std::optional<std::uint64_t> length, bool bodyless)
    {
        left_ = length.value_or(0);
        if (bodyless)
            framing_ = framing::none;
        else if (length)
            framing_ = framing::length;
        else
            framing_ = to_->version() >= 11 ? framing::chunked : framing::until_close;
        if (framing_ == framing::until_close || to_->body_is_uncertain())
            keep_alive_ = false;
    }

    void append_framing(std::optional<std::uint64_t> length, bool bodyless)
    {
        if (length && !bodyless)
        {
            head_text_ += "Content-Length: ";
            append_number(*length);
            head_text_ += "\r\n";
        }
        else if (!length && !bodyless && to_->version() >= 11)
            head_text_ += "Transfer-Encoding: chunked\r\n";
        if (!keep_alive_)
            head_text_ += "Connection: close\r\n";
        else if (to_->version() < 11)
            head_text_ += "Connection: keep-alive\r\n";
        else if (status_ == 426)
            head_text_ += "Connection: Upgrade\r\n";
    }

    void append_number(std::uint64_t number)
    {
        std::array<char, 20> digits;
        auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
        head_text_.append(digits.data(), end);
    }

    static std::uint64_t promised_length(std::string_view text)
    {
        std::uint64_t length = 0;
        auto end = text.data() + text.size();
        auto [stopped, failed] = std::from_chars(text.data(), end, length);
        if (failed != std::errc() || stopped != end)
            throw std::logic_error("brood: http: no Content-Length: " + std::string(text));
        return length;
    }

    static bool is_ours(std::string_view name)
    {
        return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding") ||
               same_name(name, "Connection");
    }

    static void append(std::string& text, const fields& from)
    {
        for (auto [name, value] : from)
            if (!is_ours(name))
                text.append(name).append(": ").append(value).append("\r\n");
    }

    request* to_ = nullptr;
    detail::byte_stream* stream_ = nullptr;
    date_clock* clock_ = nullptr;
    const bool* closing_ = nullptr;
    unsigned status_ = 200;
    fields headers_;
    std::string head_text_; // what is sent before the next piece of the body
    state state_ = state::open;
    framing framing_ = framing::none;
    std::uint64_t left_ = 0; // bytes of the body that the head promised and are not sent
    std::uint64_t sent_ = 0;
    bool keep_alive_ = true;
    bool chunk_is_open_ = false;
};

} // namespace brood::http
