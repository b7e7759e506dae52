// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/worker_limits.hpp>

#include <cstdint>
#include <string>

namespace brood::detail
{

/// "256 MiB", "1000 bytes": in the largest unit that leaves no rest.
inline std::string size_text(std::uint64_t bytes)
{
    auto unit = " bytes";
    for (auto larger : {" KiB", " MiB", " GiB"})
    {
        if (bytes == 0 || bytes % 1024 != 0)
            break;
        bytes /= 1024;
        unit = larger;
    }
    return std::to_string(bytes) + unit;
}

// The limits as they are told when they are broken.

inline std::string memory_text(const worker_limits& limits)
{
    return "memory (" + size_text(*limits.memory) + ')';
}

inline std::string processor_time_text(const worker_limits& limits)
{
    return "processor time (" + std::to_string(limits.processor_time->count()) + " s)";
}

inline std::string open_files_text(const worker_limits& limits)
{
    return "open files (" + std::to_string(*limits.open_files) + ')';
}

inline std::string processes_text(const worker_limits& limits)
{
    return "processes (" + std::to_string(*limits.processes) + ')';
}

inline std::string file_size_text(const worker_limits& limits)
{
    return "the size of files (" + size_text(*limits.file_size) + ')';
}

} // namespace brood::detail
