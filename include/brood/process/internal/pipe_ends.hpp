// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace brood::detail
{

/// The two ends of something new, both close-on-exec.
struct pipe_ends
{
    descriptor reading;
    descriptor writing;

    /// A pipe. Throws std::system_error when there is none.
    static pipe_ends made()
    {
        pipe_ends ends;
        if (!ends.open())
            throw_system_error(errno, "make a pipe");
        return ends;
    }

    /// A pipe; false when there is none, with the reason in errno.
    bool open()
    {
        int ends[2];
#ifdef __APPLE__
        return take(::pipe(ends), ends);
#else
        return take(::pipe2(ends, O_CLOEXEC), ends);
#endif
    }

    /// A stream both ways: either end is for both.
    bool open_duplex()
    {
        int ends[2];
#ifdef __APPLE__
        return take(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ends);
#else
        return take(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ends);
#endif
    }

private:
    bool take(int result, const int (&ends)[2])
    {
        if (result == -1)
            return false;
        reading = descriptor(ends[0]);
        writing = descriptor(ends[1]);
#ifdef __APPLE__
        // A child that another thread starts in between gets them, unless brood starts it.
        ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
        return true;
    }
};

} // namespace brood::detail
