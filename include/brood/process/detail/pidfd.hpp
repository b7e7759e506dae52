// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/ioctl.h>
#include <sys/syscall.h>
#endif

// Pidfds: descriptors of processes. By system calls, as the headers of many systems lack them.

namespace brood::detail
{

/// How a child ended, as wait4(2) tells.
struct wait_result
{
    int status = 0;
    rusage used = {};
};

#if defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)

/// A descriptor that becomes readable when the process ends, or none where the kernel has none.
/// Call it for a child that has not been waited for: its number is its own until then.
inline descriptor open_pidfd(pid_t pid)
{
    return descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

/// Sends a signal to the process behind a pidfd, and never to another that got its number later.
inline bool signal_by_pidfd(const descriptor& pidfd, int signal)
{
    return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

/// As wait4 with WNOHANG: the pid, 0 while it runs, or -1. The system call tells the usage as well,
/// the function of the C library does not.
inline int wait_by_pidfd(const descriptor& pidfd, wait_result& ended)
{
    constexpr int by_pidfd = 3; // P_PIDFD, Linux 5.4; newer than some headers
    siginfo_t about = {};
    auto failed = retry(
        [&] {
            return ::syscall(SYS_waitid, by_pidfd, pidfd.get(), &about, WEXITED | WNOHANG,
                             &ended.used);
        });
    if (failed != 0)
        return -1;
    auto dumped = about.si_code == CLD_DUMPED ? 0x80 : 0;
    ended.status =
        about.si_code == CLD_EXITED ? (about.si_status & 0xff) << 8 : about.si_status | dumped;
    return about.si_pid;
}

/// How a process ended that was collected by somebody else. Linux 6.15.
inline bool status_from_pidfd(const descriptor& pidfd, int& status)
{
    struct pidfd_info
    {
        std::uint64_t mask;
        std::uint64_t cgroup;
        std::uint32_t ids[11];
        std::int32_t exit_code;
    };
    constexpr std::uint64_t exit_bit = 8;                  // PIDFD_INFO_EXIT
    constexpr auto get_info = _IOWR(0xff, 11, pidfd_info); // PIDFD_GET_INFO
    static_assert(sizeof(pidfd_info) == 64, "PIDFD_INFO_SIZE_VER0");
    pidfd_info info = {exit_bit, 0, {}, 0};
    if (::ioctl(pidfd.get(), get_info, &info) != 0 || (info.mask & exit_bit) == 0)
        return false;
    status = info.exit_code;
    return true;
}

#else

inline descriptor open_pidfd(pid_t)
{
    return {};
}

inline bool signal_by_pidfd(const descriptor&, int)
{
    errno = ENOSYS;
    return false;
}

inline int wait_by_pidfd(const descriptor&, wait_result&)
{
    errno = EINVAL;
    return -1;
}

inline bool status_from_pidfd(const descriptor&, int&)
{
    return false;
}

#endif

} // namespace brood::detail
