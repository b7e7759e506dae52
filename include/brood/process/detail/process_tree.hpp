// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/pidfd.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The processes below one process: its children, theirs, and so on. Empty where there is no /proc,
/// or a kernel without CONFIG_PROC_CHILDREN: proc_pid_task(5).
///
/// Each is held by its pidfd, and looked at again when that is open: a number that came to mean
/// another process in between is not taken for a member, nor its children for theirs.
class process_tree
{
public:
    /// Nobody.
    process_tree() = default;

    /// Call it for a child that has not been waited for: its number is its own until then.
    explicit process_tree(pid_t root) { members_.push_back({root, open_pidfd(root)}); }

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
    /// already. Blocks for a fraction of a millisecond, and 50 ms at most.
    void freeze()
    {
        for (int round = 0; round < 250; ++round)
        {
            auto settled = all_stopped();
            if (!look() && settled)
                return;
            signal(SIGSTOP);
            ::usleep(200);
        }
    }

    /// To all but the root.
    void signal(int number) const
    {
        for (std::size_t index = 1; index < members_.size(); ++index)
        {
            auto& each = members_[index];
            if (!each.pidfd || (!signal_by_pidfd(each.pidfd, number) && errno == ENOSYS))
                ::kill(each.pid, number);
        }
    }

private:
    using file_handle = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

    struct member
    {
        pid_t pid;
        descriptor pidfd;
    };

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

    // Each thread has a list of the children that it started.
    void add_children_of(std::size_t parent)
    {
        auto folder = "/proc/" + std::to_string(members_[parent].pid) + "/task/";
        std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir(folder.c_str()), &::closedir);
        while (auto thread = threads ? ::readdir(threads.get()) : nullptr)
            if (thread->d_name[0] != '.')
                add_listed(folder + thread->d_name + "/children", parent);
    }

    void add_listed(const std::string& name, std::size_t parent)
    {
        file_handle file(std::fopen(name.c_str(), "re"), &std::fclose);
        for (int pid = 0; file && std::fscanf(file.get(), "%d", &pid) == 1;)
            if (!knows(pid))
                add(pid, parent);
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
            return !is_there(each) || std::strchr("TtZX", look_at(each.pid).state) != nullptr;
        };
        return std::all_of(members_.begin(), members_.end(), stopped);
    }

    struct process_stat
    {
        char state = 'X'; // no such process
        int parent = 0;
    };

    static process_stat look_at(pid_t pid)
    {
        char text[1024] = {};
        auto name = "/proc/" + std::to_string(pid) + "/stat";
        file_handle file(std::fopen(name.c_str(), "re"), &std::fclose);
        if (file) [[maybe_unused]]
            auto size = std::fread(text, 1, sizeof text - 1, file.get());
        // The name of the program stands in parentheses and may hold any character.
        process_stat result;
        if (auto rest = std::strrchr(text, ')'))
            std::sscanf(rest, ") %c %d", &result.state, &result.parent);
        return result;
    }

    std::vector<member> members_; // the root is the first
};

} // namespace brood::detail
