// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/request_core.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/request.hpp>

#include <utility>

namespace brood::http
{

BROOD_INLINE const std::string& request::method() const noexcept
{
    return core_.head().method;
}

BROOD_INLINE const std::string& request::target() const noexcept
{
    return core_.head().target;
}

BROOD_INLINE std::string request::path() const
{
    if (auto decoded = http::target(target()).path())
        return std::move(*decoded);
    throw refusal(400, "the path is not percent-encoded as it should be");
}

BROOD_INLINE query_pairs request::query() const
{
    if (auto pairs = http::target(target()).query())
        return std::move(*pairs);
    throw refusal(400, "the query is not percent-encoded as it should be");
}

BROOD_INLINE std::optional<std::string> request::query(std::string_view name) const
{
    return http::target(target()).query(name);
}

BROOD_INLINE unsigned request::version() const noexcept
{
    return core_.head().version;
}

BROOD_INLINE const fields& request::headers() const noexcept
{
    return core_.head().headers;
}

BROOD_INLINE std::optional<std::string_view> request::header(std::string_view name) const noexcept
{
    return headers().find(name);
}

BROOD_INLINE bool request::wants_upgrade() const
{
    return core_.reader().parser().upgrade();
}

BROOD_INLINE std::optional<std::uint64_t> request::content_length() const
{
    return core_.reader().parser().content_length();
}

BROOD_INLINE bool request::complete() const
{
    return core_.complete();
}

BROOD_INLINE task<std::optional<std::string_view>> request::chunk()
{
    return core_.chunk();
}

BROOD_INLINE task<std::string> request::body(std::size_t limit)
{
    return core_.body(limit);
}

BROOD_INLINE const fields& request::trailers() const noexcept
{
    return core_.reader().trailers();
}

BROOD_INLINE task<> request::gone()
{
    return core_.reader().stream().gone();
}

BROOD_INLINE stream_endpoint request::remote_endpoint() const
{
    return core_.reader().stream().socket().remote_endpoint();
}

BROOD_INLINE stream_endpoint request::local_endpoint() const
{
    return core_.reader().stream().socket().local_endpoint();
}

} // namespace brood::http
