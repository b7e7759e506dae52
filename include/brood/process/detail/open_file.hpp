// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/sysmacros.h>
#endif

namespace brood::detail
{

// The other side of a terminal is another one each time that it is opened.
inline bool leads_elsewhere_each_time([[maybe_unused]] const struct stat& file)
{
#ifdef __linux__
    return file.st_rdev == makedev(5, 2);
#else
    return true;
#endif
}

/// The same pipe or terminal, opened once more by its name, so that it has a mode of its own, and
/// blocks. Nothing for what has no name, or none for us. See pipe(7), proc_pid_fd(5).
inline descriptor open_again(int number, int mode)
{
    struct stat file = {};
    if (::fstat(number, &file) == -1)
        return {};
    auto is_terminal = S_ISCHR(file.st_mode) && ::isatty(number) == 1;
    if (!S_ISFIFO(file.st_mode) && (!is_terminal || leads_elsewhere_each_time(file)))
        return {};
    auto name = "/proc/self/fd/" + std::to_string(number);
    // A pipe without anybody at its other end would be waited for.
    auto flags = (mode & (O_ACCMODE | O_APPEND)) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    descriptor opened(retry([&] { return ::open(name.c_str(), flags); }));
    if (opened && ::fcntl(opened.get(), F_SETFL, mode & ~O_NONBLOCK) == -1)
        opened.reset();
    return opened;
}

/// Whether this is a socket that this process goes on to use: `given` says that this number is
/// about to be closed, so that another one must lead to it.
inline bool is_socket_of_ours(int number, bool given)
{
    struct stat socket = {};
    if (::fstat(number, &socket) == -1 || !S_ISSOCK(socket.st_mode))
        return false;
    if (!given)
        return true;
    std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir("/proc/self/fd"), &::closedir);
    while (auto entry = all ? ::readdir(all.get()) : nullptr)
    {
        struct stat other = {};
        auto open = std::atoi(entry->d_name);
        if (entry->d_name[0] != '.' && open != number && ::fstat(open, &other) == 0 &&
            other.st_dev == socket.st_dev && other.st_ino == socket.st_ino)
            return true;
    }
    return false;
}

} // namespace brood::detail
