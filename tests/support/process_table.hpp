// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <optional>
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
std::optional<process_line> find_process(pid_t pid);

/// All children of a process, zombies included, of this process unless another one is named.
std::vector<process_line> children(pid_t parent = ::getpid());

/// Whether this process has ended and left nothing behind that would be ours to clean up.
///
/// A zombie counts as gone only when somebody else is its parent: init takes its time.
bool gone(pid_t pid);

/// Whether this process executes, or could: it exists and is no zombie.
bool alive(pid_t pid);

/// The line as a sentence for a failed test.
std::string to_string(const process_line& line);

} // namespace brood::test
