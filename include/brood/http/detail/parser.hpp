// SPDX-License-Identifier: BSL-1.0
#pragma once

// Bytes to heads and pieces of bodies, trusting nothing: the only header that knows Boost. Beast's
// parser reads, without Beast's input and output; what it lets pass and we do not is checked here.

#include <brood/base/buffer.hpp>
#include <brood/http/detail/first_line.hpp>
#include <brood/http/detail/framing_fields.hpp>
#include <brood/http/detail/head_lines.hpp>
#include <brood/http/detail/size_budget.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/head.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/target.hpp>

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brood::http::detail
{

namespace beast = boost::beast::http;

/// Reads one message. What it reads goes to a head, and to the fields that may stand behind the
/// body; the pieces of the body are views of the input. Throws refusal, then again and again.
template <bool is_request>
class message_parser : private beast::basic_parser<is_request>
{
    using base = beast::basic_parser<is_request>;
    using text = boost::beast::string_view;
    using failure = boost::beast::error_code;

public:
    using head_type = std::conditional_t<is_request, request_head, response_head>;

    message_parser(head_type& head, fields& trailers, const parser_limits& limits)
        : head_(head), trailers_(trailers), rules_(head), budget_(limits)
    {
        head_.clear();
        trailers_.clear();
        this->body_limit(boost::none);
        auto largest = std::numeric_limits<std::uint32_t>::max();
        this->header_limit(
            static_cast<std::uint32_t>(std::min<std::size_t>(limits.head_size, largest)));
    }

    /// For the response to a HEAD: what its head says of a body does not follow.
    void expect_no_body() { this->skip(true); }

    /// Reads on, and takes what it has read from the input; true when the head is complete, false
    /// when it needs more input.
    bool read_head(buffer& input)
    {
        if (!this->got_some() && !line_.skip_empty_line(input))
            return false;
        guard whole(*this);
        line_.mend(input);
        failure failed;
        auto read = put(text_of(input), failed);
        input.consume(read);
        if (failed == beast::error::need_more)
        {
            budget_.head(read, input.size() + 1);
            check_lines(text_of(input));
            return whole.passed(false);
        }
        refuse(failed);
        budget_.head(read, 0);
        return whole.passed(this->is_header_done());
    }

    struct piece
    {
        std::size_t used = 0;   ///< How much of the input was read; 0 when it needs more.
        std::string_view bytes; ///< What of that is the body.
    };

    /// Reads on behind the head, to the next piece of the body. Not once it is done.
    piece read_piece(std::string_view input)
    {
        guard whole(*this);
        piece_ = {};
        std::size_t used = 0;
        while (piece_.empty() && !this->is_done() && used < input.size() &&
               (!is_between_chunks() || input.size() - used >= shortest_end))
        {
            failure failed;
            auto taken = put(input.substr(used), failed);
            used += taken;
            if (failed == beast::error::need_more)
                break;
            refuse(failed);
            budget_.between_chunks(taken - piece_.size());
        }
        if (used == 0)
            budget_.between_chunks(input.size() + 1);
        budget_.piece(piece_.size(), used - piece_.size());
        return whole.passed(piece{used, piece_});
    }

    /// The other side has closed: whether that is the end of a response that says no length. Throws
    /// refusal when the message is cut off.
    void read_end()
    {
        if (!this->got_some())
            throw refusal(400, "there is nothing");
        failure failed;
        this->put_eof(failed);
        refuse(failed);
    }

    /// Whether it was refused.
    bool refused() const noexcept { return refused_; }

    /// Whether anything of this message has been read.
    bool begun() const { return this->got_some(); }

    /// Whether the message is complete.
    bool done() const { return this->is_done() && !refused_; }

    /// Whether another message may follow on this connection, as far as this one says.
    bool keep_alive() const { return base::keep_alive(); }

    /// Whether the head asks to go on with another protocol.
    bool upgrade() const { return upgrade_; }

    /// Whether the client waits for "100 Continue" before it sends the body.
    bool expects_continue() const { return rules_.expects_continue(); }

    /// What the head says of the length of the body: nothing when it is not known beforehand.
    std::optional<std::uint64_t> content_length() const
    {
        if (!this->is_header_done())
            return std::nullopt;
        auto known = base::content_length();
        return known ? std::optional<std::uint64_t>(*known) : std::nullopt;
    }

private:
    static std::string_view standard(text from) { return {from.data(), from.size()}; }

    // Whoever goes on behind a refusal must not take what follows for a part of this message, nor
    // for the next.
    class guard
    {
    public:
        explicit guard(message_parser& of) : of_(of)
        {
            if (std::exchange(of_.refused_, true))
                throw refusal(400, "this message has been refused");
        }

        template <class Result>
        Result passed(Result result)
        {
            of_.refused_ = false;
            return result;
        }

    private:
        message_parser& of_;
    };

    // Beast asserts that there is more than a part of this when it looks for the end again.
    static constexpr std::size_t shortest_end = std::string_view("0\r\n\r\n").size();

    bool is_between_chunks() const { return this->chunked() && !in_chunk_; }

    std::size_t put(std::string_view input, failure& failed)
    {
        input_ = input;
        return base::put(boost::asio::const_buffer(input.data(), input.size()), failed);
    }

    void refuse(const failure& failed) const
    {
        if (!failed)
            return;
        if (failed == beast::error::header_limit)
            throw refusal(431, "the head is too long");
        if (failed == beast::error::bad_version)
            throw refusal(is_request && names_other_version(input_) ? 505 : 400,
                          "this version of HTTP is not spoken here");
        throw refusal(400, failed.message());
    }

    // ---- What Beast calls

    void on_request_impl(beast::verb, text method, text target, int version, failure&) override
    {
        if constexpr (is_request)
        {
            head_.method = standard(method);
            head_.target = standard(target);
            head_.version = static_cast<unsigned>(version);
            if (head_.method == "CONNECT")
                throw refusal(501, "this is no proxy");
            if (!is_target(head_.target, head_.method))
                throw refusal(400, "bad target");
        }
    }

    void on_response_impl(int status, text reason, int version, failure&) override
    {
        if constexpr (!is_request)
        {
            head_.status = static_cast<unsigned>(status);
            head_.reason = standard(reason);
            head_.version = static_cast<unsigned>(version);
        }
    }

    void on_field_impl(beast::field known, text name, text value, failure&) override
    {
        if (is_request)
            refuse_folded(name, value); // what is folded in a response has become a space
        auto& into = this->is_header_done() ? trailers_ : head_.headers;
        budget_.field(into.size());
        if (&into == &head_.headers)
            check(known, standard(value));
        into.add_checked(standard(name), standard(value));
    }

    // A value that went on in another line (obs-fold of RFC 9112, section 5.2) is not where it
    // should be: it was put together elsewhere, or stands in a later line than its name.
    void refuse_folded(text name, text value) const
    {
        std::less<const char*> before;
        auto begin = name.data() + name.size() + 1;
        auto is_input = !before(value.data(), begin) &&
                        !before(input_.data() + input_.size(), value.data() + value.size());
        auto is_space = [](char letter)
        {
            return letter == ' ' || letter == '\t';
        };
        if (!is_input || !std::all_of(begin, value.data(), is_space))
            throw refusal(400, "a field that goes on in another line");
    }

    void check(beast::field known, std::string_view value)
    {
        if (known == beast::field::host)
            rules_.host(value);
        else if (known == beast::field::content_length)
            rules_.content_length(value);
        else if (known == beast::field::transfer_encoding)
            rules_.transfer_encoding(value);
        else if (known == beast::field::expect)
            rules_.expect(value);
    }

    void on_header_impl(failure&) override
    {
        rules_.end_of_head();
        // An upgrade is for HTTP/1.1 only (RFC 9110, section 7.8), and not asked for behind a body.
        upgrade_ = base::upgrade() && head_.version >= 11 && head_.headers.has("Upgrade");
        if (!this->is_done())
            budget_.promised(content_length().value_or(0));
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, failure&) override {}

    std::size_t on_body_impl(text body, failure&) override
    {
        piece_ = standard(body);
        return body.size();
    }

    // Beast takes anything between quotes, as a line feed, which ends the line for others.
    void on_chunk_header_impl(std::uint64_t size, text extension, failure&) override
    {
        in_chunk_ = size != 0;
        auto is_control = [](char letter)
        {
            auto code = static_cast<unsigned char>(letter);
            return (code < 0x20 && letter != '\t') || code == 0x7f;
        };
        if (std::any_of(extension.begin(), extension.end(), is_control))
            throw refusal(400, "a control character in the extension of a chunk");
    }

    std::size_t on_chunk_body_impl(std::uint64_t left, text body, failure&) override
    {
        in_chunk_ = left != body.size();
        piece_ = standard(body);
        return body.size();
    }

    void on_finish_impl(failure&) override {}

    head_type& head_;
    fields& trailers_;
    first_line<is_request> line_;
    framing_fields<is_request> rules_;
    size_budget budget_;
    std::string_view input_; // what Beast reads in this moment
    std::string_view piece_;
    bool upgrade_ = false;
    bool in_chunk_ = false;
    bool refused_ = false;
};

using request_parser = message_parser<true>;
using response_parser = message_parser<false>;

} // namespace brood::http::detail
