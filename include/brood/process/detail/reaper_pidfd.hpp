// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/task.hpp>

#include <cerrno>
#include <csignal>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// A descriptor that becomes readable when the process ends, or none where the kernel has none.
/// Call it for a child that has not been waited for: its number is its own until then.
inline descriptor open_pidfd([[maybe_unused]] pid_t pid)
{
#ifdef SYS_pidfd_open
    return descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
#else
    return {};
#endif
}

/// Sends a signal to the process behind a pidfd, and never to another that got its number later.
inline bool signal_by_pidfd([[maybe_unused]] const descriptor& pidfd, [[maybe_unused]] int signal)
{
#ifdef SYS_pidfd_send_signal
    return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
#else
    errno = ENOSYS;
    return false;
#endif
}

/// Watches for an end through the pidfd, in the same epoll set as everything else.
class pidfd_watch
{
public:
    pidfd_watch(const asio::any_io_executor& executor, const descriptor& pidfd)
        : ready_(executor, pidfd.duplicate().release())
    {
    }

    /// Waits until the process may have ended.
    task<> changed()
    {
        return ready_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    }

private:
    asio::posix::stream_descriptor ready_;
};

} // namespace brood::detail
