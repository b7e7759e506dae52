// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/fields.hpp>

#include <string>

namespace brood::http
{

/// What stands before the body of a request.
struct request_head
{
    std::string method;    ///< As it came: "GET".
    std::string target;    ///< As it came: "/books?page=2".
    unsigned version = 11; ///< 11 for HTTP/1.1, 10 for HTTP/1.0.
    fields headers;

    void clear() noexcept
    {
        method.clear();
        target.clear();
        headers.clear();
    }
};

/// What stands before the body of a response.
struct response_head
{
    unsigned status = 0;
    std::string reason; ///< The words behind the status; no program should depend on them.
    unsigned version = 11;
    fields headers;

    void clear() noexcept
    {
        reason.clear();
        headers.clear();
    }
};

} // namespace brood::http
