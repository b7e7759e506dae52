// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <dirent.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace brood::test
{

/// One line of the process table, as /proc shows it.
struct process_line
{
    pid_t pid = 0;
    pid_t parent = 0;
    char state = '?'; ///< R runs, S and D sleep, T is stopped, Z is a zombie, X is going.
    std::string name;
};

/// The process with this number, or nothing when there is none, not even a zombie.
inline std::optional<process_line> find_process(pid_t pid)
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

/// All children of a process, zombies included, of this process unless another one is named.
inline std::vector<process_line> children(pid_t parent = ::getpid())
{
    std::vector<process_line> found;
    std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir("/proc"), &::closedir);
    while (auto* entry = listing ? ::readdir(listing.get()) : nullptr)
        if (auto pid = static_cast<pid_t>(std::atoi(entry->d_name)); pid > 0)
            if (auto line = find_process(pid); line && line->parent == parent)
                found.push_back(*line);
    return found;
}

/// Whether this process has ended and left nothing behind that would be ours to clean up.
///
/// A zombie counts as gone only when somebody else is its parent: init takes its time.
inline bool gone(pid_t pid)
{
    auto line = find_process(pid);
    if (!line)
        return true;
    return (line->state == 'Z' || line->state == 'X') && line->parent != ::getpid();
}

/// Whether this process executes, or could: it exists and is no zombie.
inline bool alive(pid_t pid)
{
    auto line = find_process(pid);
    return line && line->state != 'Z' && line->state != 'X';
}

/// The line as a sentence for a failed test.
inline std::string to_string(const process_line& line)
{
    return std::string(line.state == 'Z' ? "zombie " : "child ") + std::to_string(line.pid) +
           " was left behind: " + line.name + ", state " + line.state;
}

} // namespace brood::test
