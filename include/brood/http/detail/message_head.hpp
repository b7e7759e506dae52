// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/status.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

// What stands before a message and around the pieces of its body, for both directions: RFC 9112.

namespace brood::http::detail
{

/// How the other side knows where a body ends.
enum class framing
{
    none,        ///< There is no body: in a response to HEAD, and in 204 and 304.
    length,      ///< The head says it.
    chunked,     ///< The last chunk is empty.
    until_close, ///< The connection ends, for HTTP/1.0.
};

inline void append_number(std::string& text, std::uint64_t number, int base = 10)
{
    std::array<char, 20> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
    text.append(digits.data(), end);
}

/// The fields that brood writes itself into every message.
inline bool frames_body(std::string_view name) noexcept
{
    return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding");
}

/// The same into a response.
inline bool frames_response(std::string_view name) noexcept
{
    return frames_body(name) || same_name(name, "Connection");
}

/// Writes all fields but those of this kind.
inline void append_fields(std::string& text, const fields& from,
                          bool (*is_ours)(std::string_view) noexcept)
{
    for (auto [name, value] : from)
        if (!is_ours(name))
            text.append(name).append(": ").append(value).append("\r\n");
}

inline void append_length(std::string& text, std::uint64_t length)
{
    text += "Content-Length: ";
    append_number(text, length);
    text += "\r\n";
}

/// The Content-Length that was set beforehand; nothing when there is none. Throws `failure` when it
/// is no number.
template <class failure>
std::optional<std::uint64_t> promised_length(const fields& headers)
{
    auto said = headers.find("Content-Length");
    if (!said)
        return std::nullopt;
    auto length = digits<std::uint64_t>(*said);
    if (!length)
        throw failure("brood: http: no Content-Length: " + std::string(*said));
    return length;
}

/// What a client says before the body, whose length is known beforehand or not.
struct request_line
{
    std::string_view method;
    std::string_view target;
    std::string_view authority; ///< For Host, unless that is set.
};

inline std::string request_text(const request_line& line, const fields& headers,
                                std::optional<std::uint64_t> length)
{
    std::string text(line.method);
    text.append(" ").append(line.target).append(" HTTP/1.1\r\n");
    if (!headers.has("Host"))
        text.append("Host: ").append(line.authority).append("\r\n");
    append_fields(text, headers, frames_body);
    // RFC 9110, section 8.6: then the length is said even when it is zero.
    auto means_body = line.method == "POST" || line.method == "PUT" || line.method == "PATCH";
    if (!length)
        text += "Transfer-Encoding: chunked\r\n";
    else if (*length != 0 || means_body)
        append_length(text, *length);
    return text += "\r\n";
}

/// What is known when the head of a response is to be written.
struct response_terms
{
    unsigned status = 200;
    unsigned version = 11;               ///< Of HTTP, that the client speaks.
    bool to_head = false;                ///< The client asked for the head alone.
    bool keep_alive = true;              ///< The connection may serve another request.
    std::optional<std::uint64_t> length; ///< Of the body, when it is known beforehand.
    std::string_view kept;               ///< How long it is kept, as Keep-Alive says; or nothing.
};

/// How a response is framed; `terms` then say what its head does.
inline framing choose_framing(response_terms& terms, const fields& headers)
{
    if (auto promised = promised_length<std::logic_error>(headers))
        terms.length = promised;
    if (auto said = headers.find("Connection"); said && list_has(*said, "close"))
        terms.keep_alive = false;
    if (terms.status == 204 || terms.status == 304 || terms.to_head)
        return framing::none;
    if (terms.length)
        return framing::length;
    if (terms.version >= 11)
        return framing::chunked;
    terms.keep_alive = false;
    return framing::until_close;
}

/// Whether the head says nothing of a body: what GET would get is unknown when the handler of a
/// HEAD writes nothing (RFC 9110, section 8.6).
inline bool tells_no_body(const response_terms& terms, const fields& headers)
{
    auto untold = terms.to_head && terms.length == 0U && !headers.has("Content-Length");
    return terms.status == 204 || terms.status == 304 || untold;
}

/// What becomes of the connection. A client that knows until when it is kept sends nothing into its
/// end; Keep-Alive is for this connection alone, which Connection has to say (RFC 9110, 7.6.1).
inline void append_connection(std::string& text, const response_terms& terms, const fields& headers)
{
    if (!terms.keep_alive)
    {
        text += "Connection: close\r\n";
        return;
    }
    auto says_kept = terms.version < 11 || !terms.kept.empty();
    auto upgrade = terms.status == 426;
    if (says_kept || upgrade)
        text.append("Connection: ")
            .append(upgrade ? "Upgrade" : "")
            .append(says_kept && upgrade ? ", " : "")
            .append(says_kept ? "keep-alive" : "")
            .append("\r\n");
    if (!terms.kept.empty() && !headers.has("Keep-Alive"))
        text.append("Keep-Alive: ").append(terms.kept).append("\r\n");
}

inline void append_response(std::string& text, const response_terms& terms, const fields& headers,
                            std::string_view date)
{
    text += "HTTP/1.1 ";
    append_number(text, terms.status);
    text.append(" ").append(reason(terms.status)).append("\r\n");
    if (!headers.has("Date"))
        text.append("Date: ").append(date).append("\r\n");
    append_fields(text, headers, frames_response);
    if (terms.status == 405 && !headers.has("Allow"))
        text += "Allow: \r\n"; // RFC 9110, section 15.5.6: it has to be there
    if (!tells_no_body(terms, headers))
    {
        if (terms.length)
            append_length(text, *terms.length);
        else if (terms.version >= 11)
            text += "Transfer-Encoding: chunked\r\n";
    }
    append_connection(text, terms, headers);
    text += "\r\n";
}

/// A body that is sent piece by piece: keeps what its head has promised.
class outgoing_body
{
public:
    /// `message` names what it belongs to, in what is thrown: "response".
    explicit outgoing_body(const char* message) noexcept : message_(message) {}

    void begin(framing how, std::uint64_t length) noexcept
    {
        how_ = how;
        left_ = length;
        sent_ = 0;
    }

    framing how() const noexcept { return how_; }

    /// Bytes of it that are sent, or are about to be.
    std::uint64_t sent() const noexcept { return sent_; }

    struct piece
    {
        std::string_view text;
        std::string_view behind;
    };

    /// A piece as it is sent; what stands before it is appended to the first text. Throws
    /// std::logic_error for more than was promised.
    piece frame(std::string& before, std::string_view text)
    {
        if (how_ == framing::none)
            return {};
        count(text.size());
        if (how_ != framing::chunked || text.empty())
            return {text, {}};
        append_number(before, text.size(), 16);
        before += "\r\n";
        return {text, "\r\n"};
    }

    /// The same for the last one, and throws std::logic_error when less was sent than promised.
    piece frame_last(std::string& before, std::string_view text)
    {
        if (how_ == framing::length && text.size() < left_)
            break_promise("shorter");
        auto made = frame(before, text);
        if (how_ == framing::chunked)
            made.behind = text.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
        return made;
    }

    /// So many bytes are sent as they are. Throws std::logic_error for more than was promised.
    void count(std::uint64_t size)
    {
        if (how_ == framing::length)
        {
            if (size > left_)
                break_promise("longer");
            left_ -= size;
        }
        sent_ += size;
    }

private:
    [[noreturn]] void break_promise(const char* how) const
    {
        throw std::logic_error(std::string("brood: http: the ") + message_ + " is " + how +
                               " than its Content-Length");
    }

    const char* message_;
    framing how_ = framing::none;
    std::uint64_t left_ = 0; // of what the head has promised
    std::uint64_t sent_ = 0;
};

} // namespace brood::http::detail
