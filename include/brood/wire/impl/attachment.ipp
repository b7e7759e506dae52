// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/wire/attachment.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace brood::detail
{

BROOD_INLINE socket_kind kind_of_socket(int number)
{
    auto option = [number](int which)
    {
        int value = -1;
        socklen_t size = sizeof value;
        return ::getsockopt(number, SOL_SOCKET, which, &value, &size) == 0 ? value : -1;
    };
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    if (::getsockname(number, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return {};
    return {address.ss_family, option(SO_TYPE), option(SO_ACCEPTCONN) == 1};
}

BROOD_INLINE bool is_regular_file(int number)
{
    struct stat about = {};
    return ::fstat(number, &about) == 0 && S_ISREG(about.st_mode);
}

BROOD_INLINE bool has_direction(int number, bool reads, bool writes)
{
    auto mode = ::fcntl(number, F_GETFL) & O_ACCMODE;
    return mode == O_RDWR || (reads && !writes && mode == O_RDONLY) ||
           (writes && !reads && mode == O_WRONLY) || (reads && writes);
}

BROOD_INLINE void check_sendable(int number)
{
    if (number < 0)
        throw_system_error(EBADF, "send a descriptor that is empty");
}

} // namespace brood::detail
