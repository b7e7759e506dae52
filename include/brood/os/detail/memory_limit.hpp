// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/cgroup.hpp>

#include <algorithm>
#include <cstdint>

#include <optional>
#include <string>
#include <vector>

namespace brood::os::detail
{

inline constexpr std::uint64_t no_limit = UINT64_MAX;

/// How much memory one group may have, and how much it has, in bytes.
struct memory_limit
{
    std::uint64_t limit = 0;
    std::uint64_t used = 0;
};

/// The number in one file of a group; nothing when there is no file, or no limit in it.
inline std::optional<std::uint64_t> memory_figure(const std::string& folder, const char* name)
{
    // Version 1 writes the largest number of whole pages for "none", version 2 writes "max".
    constexpr auto unlimited = std::uint64_t{1} << 62;
    auto figure = number<std::uint64_t>(read_text(folder + "/" + name).value_or(""));
    if (!figure || *figure == 0 || *figure >= unlimited)
        return std::nullopt;
    return figure;
}

/// The limit of one group, hard or soft, whichever is lower: beyond the soft one it is throttled.
inline std::optional<memory_limit> memory_limit_of(const std::string& folder, int version)
{
    struct names
    {
        const char* hard;
        const char* soft;
        const char* used;
    };
    constexpr names version_1{"memory.limit_in_bytes", "memory.soft_limit_in_bytes",
                              "memory.usage_in_bytes"};
    constexpr names version_2{"memory.max", "memory.high", "memory.current"};
    auto& files = version == 1 ? version_1 : version_2;

    auto hard = memory_figure(folder, files.hard);
    auto soft = memory_figure(folder, files.soft);
    if (!hard && !soft)
        return std::nullopt;
    return memory_limit{std::min(hard.value_or(no_limit), soft.value_or(no_limit)),
                        memory_figure(folder, files.used).value_or(0)};
}

/// The limits of this process's control group and of those above it. All of them hold.
inline std::vector<memory_limit> memory_limits(const std::string& root = {})
{
    auto group = find_cgroup("memory", root);
    std::vector<memory_limit> limits;
    for (auto& folder : group.folders)
        if (auto limit = memory_limit_of(folder, group.version))
            limits.push_back(*limit);
    return limits;
}

} // namespace brood::os::detail
