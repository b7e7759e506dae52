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

inline bool is_pending(int signal)
{
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, signal) == 1;
}

/// Calls what raises a signal when it fails for a reason: that is held back in this thread
/// meanwhile, and one that the call caused is taken away; one that was pending before is not ours.
template <class Call>
auto without_signal(int signal, int its_reason, Call call)
{
    sigset_t only, before;
    ::sigemptyset(&only);
    ::sigaddset(&only, signal);
    auto was_pending = is_pending(signal);
    ::pthread_sigmask(SIG_BLOCK, &only, &before);
    auto count = call();
    auto reason = errno;
    if (count == -1 && reason == its_reason && !was_pending && is_pending(signal))
    {
        int taken = 0;
        ::sigwait(&only, &taken);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = reason;
    return count;
}

/// For what may write to a closed pipe or socket.
template <class Call>
auto without_sigpipe(Call call)
{
    return without_signal(SIGPIPE, EPIPE, call);
}

/// For what may make a file larger than the limit of its size (RLIMIT_FSIZE).
template <class Call>
auto without_sigxfsz(Call call)
{
    return without_signal(SIGXFSZ, EFBIG, call);
}

inline ssize_t write_with_signal_blocked(int number, std::string_view text)
{
    return without_sigpipe([&] { return ::write(number, text.data(), text.size()); });
}

/// write(2) that fails with EPIPE or EFBIG and raises neither SIGPIPE nor SIGXFSZ, without touching
/// what the program does with them.
inline ssize_t quiet_write(int number, std::string_view text)
{
    auto write = [&]
    {
        ssize_t count = -1;
        if (kernel_writes_quietly)
            count = retry([&] { return write_by_kernel(number, text); });
        if (!kernel_writes_quietly)
            count = retry([&] { return write_with_signal_blocked(number, text); });
        return count;
    };
    return without_sigxfsz(write);
}

} // namespace brood::detail
