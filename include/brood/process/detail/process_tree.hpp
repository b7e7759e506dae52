// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/pidfd.hpp>
#include <brood/process/detail/process_table.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <iterator>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The processes below one process: its children, theirs, and so on; and those of a process group.
/// Empty where there is no /proc, or a kernel without CONFIG_PROC_CHILDREN: proc_pid_task(5).
///
/// Each is held by its pidfd, and looked at again when that is open: a number that came to mean
/// another process in between is not taken for a member, nor its children for theirs.
class process_tree
{
public:
    /// Nobody.
    process_tree() = default;

    /// Call it for a child that has not been waited for: its number is its own until then.
    explicit process_tree(pid_t root) : first_(1) { members_.push_back({root, open_pidfd(root)}); }

    /// Whether this system tells who is there at all.
    static bool can_be_seen() { return look_at(::getpid()).state != process_stat().state; }

    /// Adds those who are in a process group, whoever their parents are. Its number must be its
    /// own, or strangers are taken for members: as long as its leader was not waited for.
    void add_group(pid_t group)
    {
        auto all = open_proc_folder("/proc");
        while (auto entry = all ? ::readdir(all.get()) : nullptr)
        {
            auto pid = static_cast<pid_t>(std::atoi(entry->d_name));
            if (pid <= 0 || pid == group || knows(pid) || look_at(pid).group != group)
                continue;
            auto pidfd = open_pidfd(pid);
            if (look_at(pid).group == group)
                members_.push_back({pid, std::move(pidfd)});
        }
    }

    /// Whether anybody but the root still runs of those that were found and may be signalled.
    bool anyone_runs() const
    {
        return std::any_of(members_.begin() + first_, members_.end(),
                           [](auto& each) { return may_signal(each) && runs(each); });
    }

    /// Whether there are some that may not be signalled: another user's.
    bool anyone_out_of_reach() const
    {
        return std::any_of(members_.begin() + first_, members_.end(),
                           [](auto& each) { return !may_signal(each) && runs(each); });
    }

    /// Finds those who are there now; false when there was nobody new.
    bool look()
    {
        auto before = members_.size();
        for (std::size_t index = 0; index < members_.size(); ++index)
            add_children_of(index);
        return members_.size() != before;
    }

    /// Stops them, and looks again until nobody is left who could start another one unseen: a
    /// process may be starting one while the signal is on its way to it. The root is stopped
    /// already. Blocks for a fraction of a millisecond, and 100 ms at most.
    void freeze()
    {
        auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
        do
        {
            auto settled = all_stopped();
            if (!look() && settled)
                return;
            signal(SIGSTOP);
            ::usleep(200);
        } while (std::chrono::steady_clock::now() < until);
    }

    /// To all that were found but the root.
    void signal(int number) const { signal_from(first_, number); }

    /// The same, and to those who came meanwhile, until there is nobody new.
    void look_and_signal(int number)
    {
        auto done = first_;
        for (int round = 0; round < 100 && (look() || done < std::ssize(members_)); ++round)
        {
            auto found = std::ssize(members_);
            signal_from(done, number);
            done = found;
        }
    }

private:
    struct member
    {
        pid_t pid;
        descriptor pidfd;
    };

    void signal_from(std::ptrdiff_t index, int number) const
    {
        for (; index < std::ssize(members_); ++index)
        {
            auto& each = members_[static_cast<std::size_t>(index)];
            if (!each.pidfd || (!signal_by_pidfd(each.pidfd, number) && errno == ENOSYS))
                ::kill(each.pid, number);
        }
    }

    bool knows(pid_t pid) const
    {
        return std::any_of(members_.begin(), members_.end(),
                           [pid](auto& each) { return each.pid == pid; });
    }

    // Or its number could mean another process by now.
    static bool is_there(const member& each)
    {
        return !each.pidfd || signal_by_pidfd(each.pidfd, 0) || errno != ESRCH;
    }

    static bool runs(const member& each)
    {
        return is_there(each) && std::strchr("ZX", look_at(each.pid).state) == nullptr;
    }

    static bool may_signal(const member& each)
    {
        return (each.pidfd && signal_by_pidfd(each.pidfd, 0)) || ::kill(each.pid, 0) == 0;
    }

    void add_children_of(std::size_t parent)
    {
        auto add_new = [this, parent](pid_t pid)
        {
            if (!knows(pid))
                add(pid, parent);
        };
        visit_children(members_[parent].pid, add_new);
    }

    void add(pid_t pid, std::size_t parent)
    {
        auto pidfd = open_pidfd(pid);
        if (knows(look_at(pid).parent) && is_there(members_[parent]))
            members_.push_back({pid, std::move(pidfd)});
    }

    bool all_stopped() const
    {
        auto stopped = [](const member& each)
        {
            return !may_signal(each) || std::strchr("TtZX", look_at(each.pid).state) != nullptr;
        };
        return std::all_of(members_.begin(), members_.end(), stopped);
    }

    std::ptrdiff_t first_ = 0;    // behind the root, if there is one
    std::vector<member> members_; // the root is the first
};

} // namespace brood::detail
