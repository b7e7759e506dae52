// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/client_response.hpp>
#include <brood/http/detail/client_exchange.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http
{

/// A request whose head has been sent, and whose body is sent in pieces: in chunks, or as long as
/// the Content-Length that was set before. client::upload() gives it.
///
/// A server may answer before it has all of the body. Whoever waits for room notices: write() then
/// gives false, and response() is what the server says. To read an answer that comes while the
/// body is sent, await response() in another coroutine beside the one that writes.
///
/// One that is dropped before its end cuts the request off, unless there is a response that is
/// still read.
class upload
{
public:
    upload() = default; ///< Only a place for one.

    /// Sends a piece of the body. The text must live until this is done.
    ///
    /// Resumes when the kernel has all of it: a slow server is waited for. False when the server
    /// has answered or closed instead of reading on: no more is sent then. Throws errc::timed_out
    /// when the server takes nothing for too long, std::system_error for what the system refuses,
    /// and std::logic_error behind the end or for more than Content-Length.
    task<bool> write(std::string_view text)
    {
        count(text.size());
        if (left_)
            return send(exchange_, {}, text, {});
        if (text.empty())
            return send(exchange_, {}, {}, {});
        return send(exchange_, chunk_size(text.size()), text, "\r\n");
    }

    /// Sends the last piece of the body. As write(), and throws std::logic_error when the body is
    /// shorter than Content-Length.
    task<bool> end(std::string_view text = {})
    {
        if (!ended_ && left_ && text.size() < *left_)
            throw std::logic_error("brood: http: the body is shorter than its Content-Length");
        count(text.size());
        ended_ = true;
        if (left_)
            return send_last(exchange_, {}, text, {});
        if (text.empty())
            return send_last(exchange_, {}, {}, "0\r\n\r\n");
        return send_last(exchange_, chunk_size(text.size()), text, "\r\n0\r\n\r\n");
    }

    /// The response, as soon as its head has come; once. Throws as client::send().
    task<client_response> response()
    {
        if (std::exchange(answered_, true))
            throw std::logic_error("brood: http: this response has been taken");
        return receive(exchange_);
    }

    // ---- For the client

    upload(std::shared_ptr<detail::client_exchange> exchange, std::optional<std::uint64_t> length)
        : exchange_(std::move(exchange)), left_(length)
    {
    }

private:
    void count(std::size_t size)
    {
        if (ended_)
            throw std::logic_error("brood: http: this request has ended");
        if (left_ && size > *left_)
            throw std::logic_error("brood: http: the body is longer than its Content-Length");
        if (left_)
            *left_ -= size;
    }

    static std::string chunk_size(std::size_t size)
    {
        std::array<char, 18> digits;
        auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
        return std::string(digits.data(), end) + "\r\n";
    }

    static task<bool> send(std::shared_ptr<detail::client_exchange> by, std::string before,
                           std::string_view text, std::string_view behind)
    {
        auto all = co_await detail::client_exchange::write(by, before, text, behind);
        co_return all;
    }

    static task<bool> send_last(std::shared_ptr<detail::client_exchange> by, std::string before,
                                std::string_view text, std::string_view behind)
    {
        auto all = co_await detail::client_exchange::write(by, before, text, behind);
        if (all)
            by->sent();
        co_return all;
    }

    static task<client_response> receive(std::shared_ptr<detail::client_exchange> from)
    {
        co_await detail::client_exchange::read_head(from);
        co_return client_response(from);
    }

    std::shared_ptr<detail::client_exchange> exchange_;
    std::optional<std::uint64_t> left_; // of the body, when its length is known
    bool ended_ = false;
    bool answered_ = false;
};

} // namespace brood::http
