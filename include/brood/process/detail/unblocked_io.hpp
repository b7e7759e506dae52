// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/quiet_write.hpp>
#include <brood/base/error.hpp>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

namespace brood::detail
{

/// Whether the kernel is asked not to wait, call by call. Tests set it to false.
inline constinit std::atomic<bool> kernel_need_not_wait = true;

/// Reads and writes that never wait, whatever the mode of the open file is: it is shared with other
/// processes, and each of them may change it at any time, as we do when we start a child.
class unblocked_io
{
public:
    /// read(2); EAGAIN instead of waiting.
    ssize_t read(int number, void* to, std::size_t size)
    {
        ssize_t count = -1;
        if (ask_kernel())
            count = retry([&] { return read_by_kernel(number, to, size); });
        if (!ask_kernel() && (is_non_blocking(number) || is_ready(number, POLLIN)))
            count = retry([&] { return ::read(number, to, size); });
        return count;
    }

    /// write(2) without SIGPIPE; EAGAIN instead of waiting.
    ssize_t write(int number, std::string_view text)
    {
        ssize_t count = -1;
        if (ask_kernel() && kernel_writes_quietly)
            count = retry([&] { return write_by_kernel(number, text); });
        if (ask_kernel() && kernel_writes_quietly)
            return count;
        if (is_non_blocking(number))
            return quiet_write(number, text);
        // A pipe that can be written to at all takes so many bytes.
        return is_ready(number, POLLOUT) ? quiet_write(number, text.substr(0, PIPE_BUF)) : -1;
    }

private:
    bool ask_kernel() const noexcept { return asks_kernel_ && kernel_need_not_wait; }

    static bool is_non_blocking(int number)
    {
        auto flags = ::fcntl(number, F_GETFL);
        return flags == -1 || (flags & O_NONBLOCK) != 0;
    }

    static bool is_ready(int number, short event)
    {
        pollfd asked{number, event, 0};
        auto ready = ::poll(&asked, 1, 0) != 0;
        errno = EAGAIN;
        return ready;
    }

#ifdef __linux__
    static constexpr int no_wait = 0x00000008;   // RWF_NOWAIT
    static constexpr int no_signal = 0x00000100; // RWF_NOSIGNAL, newer than most headers

    ssize_t read_by_kernel(int number, void* to, std::size_t size)
    {
        iovec into{to, size};
        return checked(::syscall(SYS_preadv2, number, &into, 1L, -1L, -1L, no_wait));
    }

    ssize_t write_by_kernel(int number, std::string_view text)
    {
        iovec from{const_cast<char*>(text.data()), text.size()};
        return checked(::syscall(SYS_pwritev2, number, &from, 1L, -1L, -1L, no_wait | no_signal));
    }

    // A terminal cannot, nor can a pipe before Linux 6.5; no signal came with 6.18.
    ssize_t checked(ssize_t count) noexcept
    {
        if (count == -1 &&
            (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS || errno == EPERM))
            asks_kernel_ = false;
        return count;
    }

    bool asks_kernel_ = true;
#else
    static ssize_t read_by_kernel(int, void*, std::size_t)
    {
        return -1;
    }

    static ssize_t write_by_kernel(int, std::string_view)
    {
        return -1;
    }

    static constexpr bool asks_kernel_ = false;
#endif
};

} // namespace brood::detail
