// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/quiet_write.hpp>
#include <brood/base/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/sendfile.h>
#endif

namespace brood::http::detail
{

// Where there is no sendfile(2) of this kind, or not for this file.
inline ssize_t send_copy(int to, int file, off_t offset, std::size_t count)
{
    std::array<char, 65'536> piece;
    auto read =
        retry([&] { return ::pread(file, piece.data(), std::min(count, piece.size()), offset); });
    if (read <= 0)
        return read;
    auto size = static_cast<std::size_t>(read);
    return retry([&] { return ::send(to, piece.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT); });
}

/// Sends a part of a file to a socket, as much as there is room for: how much, 0 at the end of the
/// file, or -1 and errno. Raises no SIGPIPE. Follows sendfile(2).
inline ssize_t quiet_sendfile(int to, int file, off_t offset, std::size_t count)
{
#ifdef __linux__
    auto sent = brood::detail::without_sigpipe(
        [&] { return retry([&] { return ::sendfile(to, file, &offset, count); }); });
    if (sent != -1 || (errno != EINVAL && errno != ENOSYS))
        return sent;
#endif
    return send_copy(to, file, offset, count);
}

} // namespace brood::http::detail
