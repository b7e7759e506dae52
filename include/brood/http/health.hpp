// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/response.hpp>
#include <brood/process/process.hpp>

#include <string_view>

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

/// Answers whether this process should be given new work: 200 "ok", or 503 "starting" before a
/// worker is ready and "stopping" once the process was asked to stop. For what spreads load over
/// machines, and looks at a path of its own:
///
///     if (request.target() == "/health")
///         co_await http::health(self, response);
inline task<> health(const process& self, response& by)
{
    return detail::tell_health(by, !self.is_ready(), self.stopping());
}

} // namespace brood::http
