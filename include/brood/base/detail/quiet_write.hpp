// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

namespace brood::detail
{

/// Whether the kernel writes to a pipe without SIGPIPE when asked to; found out by the first write.
/// Tests set it to false.
inline std::atomic<bool> kernel_writes_quietly = true;

#ifdef __linux__
// Linux 6.18; kernels before say EOPNOTSUPP or EINVAL, sandboxes ENOSYS or EPERM.
inline ssize_t write_by_kernel(int number, std::string_view text)
{
    constexpr int no_signal = 0x00000100; // RWF_NOSIGNAL, newer than most headers
    iovec from{const_cast<char*>(text.data()), text.size()};
    auto count = ::syscall(SYS_pwritev2, number, &from, 1L, -1L, -1L, no_signal);
    if (count == -1 &&
        (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS || errno == EPERM))
        kernel_writes_quietly = false;
    return count;
}
#else
inline ssize_t write_by_kernel(int, std::string_view)
{
    kernel_writes_quietly = false;
    return -1;
}
#endif

inline bool sigpipe_is_pending()
{
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGPIPE) == 1;
}

/// Calls what may write to a closed pipe or socket: SIGPIPE is held back in this thread meanwhile,
/// and one that the call caused is taken away; one that was pending before is not ours.
template <class Call>
ssize_t without_sigpipe(Call call)
{
    sigset_t pipe_signal, before;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    auto was_pending = sigpipe_is_pending();
    ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    auto count = call();
    auto reason = errno;
    if (count == -1 && reason == EPIPE && !was_pending && sigpipe_is_pending())
    {
        int taken = 0;
        ::sigwait(&pipe_signal, &taken);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = reason;
    return count;
}

inline ssize_t write_with_signal_blocked(int number, std::string_view text)
{
    return without_sigpipe([&] { return ::write(number, text.data(), text.size()); });
}

/// write(2) that fails with EPIPE and raises no SIGPIPE, without touching what the program does
/// with it.
inline ssize_t quiet_write(int number, std::string_view text)
{
    ssize_t count = -1;
    if (kernel_writes_quietly)
        count = retry([&] { return write_by_kernel(number, text); });
    if (!kernel_writes_quietly)
        count = retry([&] { return write_with_signal_blocked(number, text); });
    return count;
}

} // namespace brood::detail
