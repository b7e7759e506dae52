// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/client_response.hpp>
#include <brood/http/detail/client_exchange.hpp>
#include <brood/http/detail/whole_body.hpp>

namespace brood::http
{
namespace detail
{

struct client_body
{
    std::shared_ptr<client_exchange> from;

    // What the head promises does not follow when it answers a HEAD.
    std::size_t expected() const noexcept { return 0; }

    task<std::optional<std::string_view>> next() const { return client_exchange::next(from); }

    [[noreturn]] void refuse(std::size_t limit) const
    {
        throw from->asked().failure(errc::too_large,
                                    "the body has more than " + std::to_string(limit) + " bytes");
    }
};

} // namespace detail

BROOD_INLINE const response_head& client_response::head() const noexcept
{
    return exchange_->reader().head();
}

BROOD_INLINE unsigned client_response::status() const noexcept
{
    return head().status;
}

BROOD_INLINE const std::string& client_response::reason() const noexcept
{
    return head().reason;
}

BROOD_INLINE unsigned client_response::version() const noexcept
{
    return head().version;
}

BROOD_INLINE const fields& client_response::headers() const noexcept
{
    return head().headers;
}

BROOD_INLINE std::optional<std::string_view>
client_response::header(std::string_view name) const noexcept
{
    return headers().find(name);
}

BROOD_INLINE const fields& client_response::early_hints() const noexcept
{
    return exchange_->early_hints();
}

BROOD_INLINE std::optional<std::uint64_t> client_response::content_length() const
{
    return exchange_->reader().parser().content_length();
}

BROOD_INLINE bool client_response::complete() const
{
    return exchange_->reader().done();
}

BROOD_INLINE task<std::optional<std::string_view>> client_response::chunk()
{
    return detail::client_exchange::next(exchange_);
}

BROOD_INLINE task<std::string> client_response::body(std::size_t limit)
{
    detail::client_body from{exchange_};
    return detail::read_whole(std::move(from), limit);
}

BROOD_INLINE const fields& client_response::trailers() const noexcept
{
    return exchange_->reader().trailers();
}

} // namespace brood::http
