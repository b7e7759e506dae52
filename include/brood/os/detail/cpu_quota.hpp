// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/cgroup.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace brood::os::detail
{

/// What one folder grants: how many CPUs a group may keep busy, rounded up; nothing when it has no
/// quota or a text that no kernel writes.
inline std::optional<unsigned> cpu_quota_of(const std::string& folder, int version)
{
    auto text = version == 2 ? read_text(folder + "/cpu.max").value_or("")
                             : read_text(folder + "/cpu.cfs_quota_us").value_or("") + " " +
                                   read_text(folder + "/cpu.cfs_period_us").value_or("");
    std::string_view rest = text;
    auto quota = number<std::int64_t>(cut_word(rest)); // "max" or -1 for none
    auto period = number<std::int64_t>(cut_word(rest));
    if (!quota || !period || *quota <= 0 || *period <= 0)
        return std::nullopt;
    constexpr auto most = std::int64_t{std::numeric_limits<unsigned>::max()};
    return static_cast<unsigned>(std::min((*quota - 1) / *period + 1, most));
}

/// The smallest quota of this process's control group and of those above it; nothing without one.
///
/// Follows the CPU bandwidth control of cgroups(7), version 1 and 2.
inline std::optional<unsigned> cpu_quota(const std::string& root = {})
{
    auto group = find_cgroup("cpu", root);
    std::optional<unsigned> smallest;
    for (auto& folder : group.folders)
        if (auto quota = cpu_quota_of(folder, group.version))
            smallest = std::min(smallest.value_or(*quota), *quota);
    return smallest;
}

} // namespace brood::os::detail
