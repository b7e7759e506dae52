// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/destination.hpp>
#include <brood/http/detail/text.hpp>
#include <brood/http/fields.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http
{

/// What a client asks: a method, a URL, headers, and a body unless that is sent in pieces.
///
/// A URL is "http://host:port/path?query", or "unix:/path/of/socket:/path?query" for a server on a
/// local socket, whose path has no ":/". What is not visible ASCII in a path is to be encoded
/// already. There is no TLS: https is refused.
///
/// Brood writes Host, the length or the chunks of the body, and nothing else on its own.
class client_request
{
public:
    /// GET.
    explicit client_request(std::string url) : client_request("GET", std::move(url)) {}

    /// Throws std::invalid_argument for what is no such URL, no method, or CONNECT.
    client_request(std::string method, std::string url)
        : method_(std::move(method)), url_(std::move(url)), to_(detail::find_destination(url_))
    {
        if (!is_token(method_) || method_ == "CONNECT")
            throw std::invalid_argument("brood: http: no method of a client: " + method_);
    }

    client_request(std::string method, std::string url, std::string body)
        : client_request(std::move(method), std::move(url))
    {
        body_ = std::move(body);
    }

    const std::string& method() const noexcept { return method_; }

    const std::string& url() const noexcept { return url_; }

    const fields& headers() const noexcept { return headers_; }

    /// Puts a header in the place of all those of the same name. `Connection: close` has the
    /// connection closed behind the response. Throws std::invalid_argument as fields::add.
    client_request& set(std::string_view name, std::string_view value)
    {
        headers_.set(name, value);
        return *this;
    }

    /// Adds a header beside those of the same name. Throws as set().
    client_request& add(std::string_view name, std::string_view value)
    {
        headers_.add(name, value);
        return *this;
    }

    /// The body as a whole.
    client_request& body(std::string text)
    {
        body_ = std::move(text);
        return *this;
    }

    const std::string& body() const noexcept { return body_; }

    // ---- For the client

    const detail::destination& to() const noexcept { return to_; }

    /// Whether asking twice does no more than asking once: RFC 9110, section 9.2.2.
    bool is_idempotent() const
    {
        for (auto known : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
            if (method_ == known)
                return true;
        return false;
    }

    bool wants_close() const
    {
        auto said = headers_.find("Connection");
        return said && list_has(*said, "close");
    }

    /// The Content-Length that the caller has set: a promise for a body in pieces. Throws
    /// std::invalid_argument when it is no number.
    std::optional<std::uint64_t> promised_length() const
    {
        auto said = headers_.find("Content-Length");
        if (!said)
            return std::nullopt;
        auto length = detail::digits<std::uint64_t>(*said);
        if (!length)
            throw std::invalid_argument("brood: http: no Content-Length: " + std::string(*said));
        return length;
    }

    /// What is sent before the body, which has this length, or comes in chunks.
    std::string head(std::optional<std::uint64_t> length) const
    {
        auto text = method_ + ' ' + to_.target + " HTTP/1.1\r\n";
        if (!headers_.has("Host"))
            text += "Host: " + to_.authority + "\r\n";
        for (auto [name, value] : headers_)
            if (!same_name(name, "Content-Length") && !same_name(name, "Transfer-Encoding"))
                text.append(name).append(": ").append(value).append("\r\n");
        if (!length)
            text += "Transfer-Encoding: chunked\r\n";
        else if (*length != 0 || means_body())
            text += "Content-Length: " + std::to_string(*length) + "\r\n";
        return text += "\r\n";
    }

private:
    // RFC 9110, section 8.6: then the length is said even when it is zero.
    bool means_body() const { return method_ == "POST" || method_ == "PUT" || method_ == "PATCH"; }

    std::string method_;
    std::string url_;
    detail::destination to_;
    fields headers_;
    std::string body_;
};

} // namespace brood::http
