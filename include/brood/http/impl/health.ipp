// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/http/health.hpp>
#include <brood/http/response.hpp>
#include <brood/process/process.hpp>

namespace brood::http
{
namespace detail
{

inline task<> tell_health(response& by, bool starting, bool stopping)
{
    by.set("Cache-Control", "no-store");
    by.set("Content-Type", "text/plain; charset=utf-8");
    if (starting || stopping)
        by.status(503);
    auto text = stopping ? "stopping\n" : starting ? "starting\n" : "ok\n";
    co_await by.end(text);
}

} // namespace detail

BROOD_INLINE task<> health(const process& self, response& by)
{
    return detail::tell_health(by, !self.is_ready(), self.stopping());
}

} // namespace brood::http
