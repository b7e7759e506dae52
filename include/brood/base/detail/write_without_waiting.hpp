// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/quiet_write.hpp>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <poll.h>
#include <string_view>
#include <unistd.h>

namespace brood::detail
{

/// write(2) to a stream that is not ours alone and may block: it is asked first whether it takes
/// some bytes, and fails with EAGAIN when it does not. No SIGPIPE.
inline ssize_t write_without_waiting(int stream, std::string_view text)
{
    pollfd asked{stream, POLLOUT, 0};
    if (::poll(&asked, 1, 0) == 0)
    {
        errno = EAGAIN;
        return -1;
    }
    // A pipe that can be written to at all takes so many bytes, and as one piece.
    return quiet_write(stream, text.substr(0, PIPE_BUF));
}

/// Writes as much of a text as the stream takes now. What it does not take is lost.
inline void write_what_fits(int stream, std::string_view text)
{
    while (!text.empty())
    {
        auto count = write_without_waiting(stream, text);
        if (count <= 0)
            break;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

} // namespace brood::detail
