// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/request_core.hpp>
#include <brood/http/detail/response_core.hpp>
#include <brood/http/request.hpp>
#include <brood/http/response.hpp>

namespace brood::http::detail
{

/// A request and its response, used for one after the other so that memory is kept; and the two
/// faces that its handler sees.
struct server_exchange
{
    server_exchange() noexcept : request(asked), response(answer) {}

    request_core asked;
    response_core answer;
    http::request request;
    http::response response;
};

} // namespace brood::http::detail
