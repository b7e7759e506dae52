// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/fields.hpp>
#include <brood/http/internal/destination.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace brood::http
{

namespace detail
{
class request_context;
} // namespace detail

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
    explicit client_request(std::string url);

    /// Throws std::invalid_argument for what is no such URL, no method, or CONNECT.
    client_request(std::string method, std::string url);

    client_request(std::string method, std::string url, std::string body);

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

private:
    friend detail::request_context;

    std::string method_;
    std::string url_;
    detail::destination to_;
    fields headers_;
    std::string body_;
};

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/client_request.ipp>
#endif
