// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http::detail
{

// Empty names come from doubled slashes, and lead to where we are.
inline bool is_visible(std::string_view name)
{
    return !name.starts_with('.') && name.find('\0') == std::string_view::npos;
}

/// Opens what a path names below a folder, one step after the other, and follows no symbolic link:
/// nothing outside can be reached. The number of an open descriptor, or -1 and errno: ENOENT also
/// for names that begin with a dot.
inline int open_beneath(const descriptor& folder, std::string_view path)
{
    constexpr int how = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    auto here = folder.duplicate();
    while (!path.empty())
    {
        auto end = std::min(path.find('/'), path.size());
        auto name = std::string(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
        if (name.empty())
            continue;
        if (!is_visible(name))
        {
            errno = ENOENT;
            return -1;
        }
        descriptor next(::openat(here.get(), name.c_str(), how | (path.empty() ? 0 : O_DIRECTORY)));
        if (!next)
            return -1;
        here = std::move(next);
    }
    return here.release();
}

} // namespace brood::http::detail
