// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>

namespace brood::detail
{

/// Watches for an end through the pidfd, in the same epoll set as everything else. The pidfd stays
/// its owner's.
class pidfd_watch
{
public:
    pidfd_watch(const asio::any_io_executor& executor, const descriptor& pidfd)
        : ready_(executor, pidfd.get())
    {
    }

    ~pidfd_watch() { cancel(); }

    pidfd_watch(const pidfd_watch&) = delete;
    pidfd_watch& operator=(const pidfd_watch&) = delete;

    /// Waits until the process may have ended, or cancel() is called.
    task<> changed()
    {
        co_await ready_.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
    }

    /// From here on its owner may close the pidfd.
    void cancel() { ready_.release(); }

private:
    asio::posix::stream_descriptor ready_;
};

} // namespace brood::detail
