// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/http/detail/request_context.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/head.hpp>

#include <string>

namespace brood::http::detail
{

/// What a server says before its answer: RFC 9110, section 15.2.
class interim_responses
{
public:
    /// Takes a head; true when it is that of the answer. Throws errc::malformed for what a client
    /// cannot go on with.
    bool end_with(const response_head& head, const request_context& asked)
    {
        constexpr unsigned most = 100;
        if (head.status == 101)
            throw asked.failure(errc::malformed, "the server goes on with another protocol, which "
                                                 "this client cannot");
        if (head.status < 100)
            throw asked.failure(errc::malformed, "no status: " + std::to_string(head.status));
        if (head.status >= 200)
            return true;
        if (++count_ > most)
            throw asked.failure(errc::malformed, "more and more interim responses");
        if (head.status == 103)
            for (auto [name, value] : head.headers)
                early_hints_.add_checked(name, value);
        return false;
    }

    /// The fields of all responses with status 103.
    const fields& early_hints() const noexcept { return early_hints_; }

private:
    fields early_hints_;
    unsigned count_ = 0;
};

} // namespace brood::http::detail
