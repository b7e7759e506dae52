// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/collect.hpp>

#include <mutex>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Children that were detached and whose ends nobody awaits. Whoever starts the next child takes
/// away what is left of those that have ended, so that they do not pile up.
class detached_children
{
public:
    static void add(pid_t pid, descriptor pidfd)
    {
        std::lock_guard lock(mutex);
        children.emplace_back(pid, std::move(pidfd));
    }

    static void collect_ended()
    {
        std::lock_guard lock(mutex);
        std::erase_if(children,
                      [](auto& child) { return collect(child.first, child.second).has_value(); });
    }

private:
    inline static std::mutex mutex;
    inline static std::vector<std::pair<pid_t, descriptor>> children;
};

} // namespace brood::detail
