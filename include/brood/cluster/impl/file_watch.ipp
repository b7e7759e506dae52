// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/file_watch.hpp>

#include <chrono>
#include <sys/stat.h>
#include <utility>

namespace brood
{

BROOD_INLINE file_watch::file_watch(std::vector<std::string> paths)
    : paths_(std::move(paths)), seen_(look())
{
}

BROOD_INLINE task<> file_watch::changed()
{
    while (look() == seen_)
        co_await sleep(std::chrono::milliseconds(200));
    seen_ = look();
}

BROOD_INLINE std::vector<file_watch::state> file_watch::look() const
{
    std::vector<state> result;
    for (auto& path : paths_)
    {
        struct stat found = {};
        auto& now = result.emplace_back();
        if (::stat(path.c_str(), &found) == 0)
            now = {true, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
    }
    return result;
}

} // namespace brood
