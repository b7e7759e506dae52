// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <string>
#include <sys/types.h>

// What /proc tells of processes: proc(5).

namespace brood::detail
{

/// Set by tests: do as where there is no /proc.
inline bool without_proc = false;

using file_handle = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using folder_handle = std::unique_ptr<DIR, int (*)(DIR*)>;

inline file_handle open_proc_file(const std::string& name)
{
    return {without_proc ? nullptr : std::fopen(name.c_str(), "re"), &std::fclose};
}

inline folder_handle open_proc_folder(const std::string& name)
{
    return {without_proc ? nullptr : ::opendir(name.c_str()), &::closedir};
}

struct process_stat
{
    char state = 'X'; // no such process
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
};

inline process_stat look_at(pid_t pid)
{
    char text[1024] = {};
    auto file = open_proc_file("/proc/" + std::to_string(pid) + "/stat");
    if (file) [[maybe_unused]]
        auto size = std::fread(text, 1, sizeof text - 1, file.get());
    // The name of the program stands in parentheses and may hold any character.
    process_stat result;
    if (auto rest = std::strrchr(text, ')'))
        std::sscanf(rest, ") %c %d %d %d", &result.state, &result.parent, &result.group,
                    &result.session);
    return result;
}

/// Calls `visit` with the pid of each child of a process, zombies included. Each of its threads has
/// a list of those that it started, where the kernel has CONFIG_PROC_CHILDREN.
template <class Visit>
void visit_children(pid_t parent, Visit visit)
{
    auto folder = "/proc/" + std::to_string(parent) + "/task/";
    auto threads = open_proc_folder(folder);
    while (auto thread = threads ? ::readdir(threads.get()) : nullptr)
    {
        if (thread->d_name[0] == '.')
            continue;
        auto list = open_proc_file(folder + thread->d_name + "/children");
        for (int pid = 0; list && std::fscanf(list.get(), "%d", &pid) == 1;)
            visit(static_cast<pid_t>(pid));
    }
}

} // namespace brood::detail
