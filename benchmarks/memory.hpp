// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fstream>
#include <string>
#include <sys/types.h>

namespace bench
{

/// Kilobytes of memory that a process has to itself.
inline double private_kilobytes(pid_t pid)
{
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    double total = 0, size = 0;
    for (std::string word; file >> word;)
        if ((word == "Private_Clean:" || word == "Private_Dirty:") && file >> size)
            total += size;
    return total;
}

} // namespace bench
