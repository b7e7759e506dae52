// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/client_request.hpp>
#include <brood/http/detail/find_destination.hpp>

#include <stdexcept>
#include <utility>

namespace brood::http
{

BROOD_INLINE client_request::client_request(std::string url) : client_request("GET", std::move(url))
{
}

BROOD_INLINE client_request::client_request(std::string method, std::string url)
    : method_(std::move(method)), url_(std::move(url)), to_(detail::find_destination(url_))
{
    if (!is_token(method_) || method_ == "CONNECT")
        throw std::invalid_argument("brood: http: no method of a client: " + method_);
}

BROOD_INLINE client_request::client_request(std::string method, std::string url, std::string body)
    : client_request(std::move(method), std::move(url))
{
    body_ = std::move(body);
}

} // namespace brood::http
