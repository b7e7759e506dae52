// SPDX-License-Identifier: BSL-1.0
#include "support/process_table.hpp"

#include <dirent.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

namespace brood::test
{

std::optional<process_line> find_process(pid_t pid)
{
    // Reading fails when the process goes after the file was opened: no iterators, they would
    // throw.
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text(512, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    // The name stands in parentheses and may hold any character, a parenthesis too.
    auto open = text.find('(');
    auto close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos)
        return {};
    process_line line;
    line.pid = pid;
    line.name = text.substr(open + 1, close - open - 1);
    std::istringstream rest(text.substr(close + 1));
    rest >> line.state >> line.parent;
    return line;
}

std::vector<process_line> children(pid_t parent)
{
    std::vector<process_line> found;
    std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir("/proc"), &::closedir);
    while (auto* entry = listing ? ::readdir(listing.get()) : nullptr)
        if (auto pid = static_cast<pid_t>(std::atoi(entry->d_name)); pid > 0)
            if (auto line = find_process(pid); line && line->parent == parent)
                found.push_back(*line);
    return found;
}

bool gone(pid_t pid)
{
    auto line = find_process(pid);
    if (!line)
        return true;
    return (line->state == 'Z' || line->state == 'X') && line->parent != ::getpid();
}

bool alive(pid_t pid)
{
    auto line = find_process(pid);
    return line && line->state != 'Z' && line->state != 'X';
}

std::string to_string(const process_line& line)
{
    return std::string(line.state == 'Z' ? "zombie " : "child ") + std::to_string(line.pid) +
           " was left behind: " + line.name + ", state " + line.state;
}

} // namespace brood::test
