// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/client.hpp>
#include <brood/http/detail/client_core.hpp>

#include <stdexcept>
#include <utility>

namespace brood::http
{

BROOD_INLINE client::client(client_options options)
    : core_(std::make_shared<detail::client_core>(std::move(options)))
{
}

BROOD_INLINE task<client_response> client::send(client_request request)
{
    return detail::client_core::send_whole(core_, std::move(request));
}

BROOD_INLINE task<answer> client::fetch(client_request request)
{
    return detail::client_core::read_whole(core_, std::move(request));
}

BROOD_INLINE task<answer> client::get(std::string url)
{
    return fetch(client_request(std::move(url)));
}

BROOD_INLINE task<http::upload> client::upload(client_request request)
{
    if (!request.body().empty())
        throw std::invalid_argument("brood: http: the body of an upload is written to it");
    return detail::client_core::begin_upload(core_, std::move(request));
}

BROOD_INLINE std::size_t client::idle() const
{
    return core_->pool.size();
}

BROOD_INLINE void client::close_idle()
{
    core_->pool.clear();
}

BROOD_INLINE task<answer> fetch(client_request request, client_options options)
{
    request.set("Connection", "close");
    return client(std::move(options)).fetch(std::move(request));
}

BROOD_INLINE task<answer> get(std::string url, client_options options)
{
    return fetch(client_request(std::move(url)), std::move(options));
}

} // namespace brood::http
