// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

namespace brood
{

class process;

namespace http
{

class response;

/// Answers whether this process should be given new work: 200 "ok", or 503 "starting" before a
/// worker is ready and "stopping" once the process was asked to stop. For what spreads load over
/// machines, and looks at a path of its own:
///
///     if (request.target() == "/health")
///         co_await http::health(self, response);
task<> health(const process& self, response& by);

} // namespace http
} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/health.ipp>
#endif
