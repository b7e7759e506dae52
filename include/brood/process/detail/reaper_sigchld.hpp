// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <csignal>
#include <system_error>

namespace brood::detail
{

/// Watches for an end through SIGCHLD, for systems without pidfds.
///
/// Every watch of the program wakes when any child ends, and looks after its own. A signal that
/// came after the watch was made is not missed. Asio keeps SIGCHLD for itself as long as there is a
/// watch.
class sigchld_watch
{
public:
    explicit sigchld_watch(const asio::any_io_executor& executor) : signals_(executor, SIGCHLD) {}

    /// Waits until some child may have ended.
    task<> changed() { co_await signals_.async_wait(asio::use_awaitable); }

private:
    asio::signal_set signals_;
};

} // namespace brood::detail
