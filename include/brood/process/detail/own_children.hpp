// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <sys/types.h>

namespace brood::detail
{

/// The children that brood started in this process and has not collected yet, and the groups that
/// they lead or led: who collects orphans must know whom somebody waits for.
class own_children
{
public:
    /// Held from before a child is there until it is known.
    static std::shared_lock<std::shared_mutex> starting() { return std::shared_lock(births()); }

    static void add(pid_t pid, bool leads)
    {
        std::lock_guard lock(mutex());
        known().insert(pid);
        if (leads)
            groups().insert(pid);
    }

    static void remove(pid_t pid) noexcept
    {
        std::lock_guard lock(mutex());
        known().erase(pid);
    }

    /// While it lives, no child is started that is not known: for one who looks at all of them.
    static std::unique_lock<std::shared_mutex> looking() { return std::unique_lock(births()); }

    static bool knows(pid_t pid)
    {
        std::lock_guard lock(mutex());
        return known().contains(pid);
    }

    /// Whether a child of ours leads, or led, this group. The number of a group is no other's as
    /// long as somebody is in it.
    static bool led(pid_t group)
    {
        std::lock_guard lock(mutex());
        return groups().contains(group);
    }

    /// Forgets the groups in which nobody is left.
    static void forget_empty_groups()
    {
        std::lock_guard lock(mutex());
        std::erase_if(
            groups(), [](pid_t group)
            { return !known().contains(group) && ::kill(-group, 0) == -1 && errno == ESRCH; });
    }

private:
    // Never destroyed: a thread may collect a child while the program ends.

    static std::shared_mutex& births()
    {
        static auto& only = *new std::shared_mutex;
        return only;
    }

    static std::mutex& mutex()
    {
        static auto& only = *new std::mutex;
        return only;
    }

    static std::set<pid_t>& known()
    {
        static auto& only = *new std::set<pid_t>;
        return only;
    }

    static std::set<pid_t>& groups()
    {
        static auto& only = *new std::set<pid_t>;
        return only;
    }
};

} // namespace brood::detail
