// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <string>
#include <sys/types.h>
#include <vector>

namespace brood::detail
{

/// The children of the process's main thread, and theirs, each before its own. Empty where there is
/// no /proc, or a kernel without CONFIG_PROC_CHILDREN: proc_pid_task(5).
inline void add_descendants(pid_t of, std::vector<pid_t>& to)
{
    auto name = "/proc/" + std::to_string(of) + "/task/" + std::to_string(of) + "/children";
    auto file = std::fopen(name.c_str(), "re");
    if (file == nullptr)
        return;
    std::vector<pid_t> children;
    for (int pid = 0; std::fscanf(file, "%d", &pid) == 1;)
        children.push_back(pid);
    std::fclose(file);
    for (auto child : children)
    {
        to.push_back(child);
        add_descendants(child, to);
    }
}

} // namespace brood::detail
