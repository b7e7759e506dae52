// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/memory_limit.hpp>
#include <brood/os/detail/posix_memory.hpp>
#include <brood/os/detail/text.hpp>
#include <brood/os/memory.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace brood::os::detail
{

/// The bytes in a line like "MemTotal:  24684092 kB"; nothing when there is no such line.
inline std::optional<std::uint64_t> kilobytes(std::string_view text, std::string_view key)
{
    auto value = field(text, key).value_or("");
    auto figure = number<std::uint64_t>(cut_word(value));
    if (!figure)
        return std::nullopt;
    return *figure * 1024;
}

inline std::optional<std::uint64_t> meminfo(const std::string& root, std::string_view key)
{
    return kilobytes(read_text(root + "/proc/meminfo").value_or(""), key);
}

inline std::uint64_t total_memory(const std::string& root)
{
    auto total = meminfo(root, "MemTotal");
    return total ? *total : posix_total_memory();
}

inline std::uint64_t free_memory(const std::string& root)
{
    auto available = meminfo(root, "MemAvailable");
    return available ? *available : posix_free_memory();
}

/// The least of what control groups and resource limits allow, 0 for no limit.
inline std::uint64_t constrained_memory(const std::string& root)
{
    auto least = no_limit;
    for (auto resource : {RLIMIT_AS, RLIMIT_DATA})
    {
        rlimit allowed{};
        check(::getrlimit(resource, &allowed), "read the limits of this process");
        if (allowed.rlim_cur != RLIM_INFINITY)
            least = std::min<std::uint64_t>(least, allowed.rlim_cur);
    }
    for (auto& group : memory_limits(root))
        least = std::min(least, group.limit);
    return least == no_limit ? 0 : least;
}

inline std::uint64_t available_memory(const std::string& root)
{
    auto available = free_memory(root);
    for (auto& group : memory_limits(root)) // a group may have more than its limit for a moment
        available = std::min(available, group.limit - std::min(group.limit, group.used));
    return available;
}

inline process_memory memory_usage(const std::string& root)
{
    auto status = read_text(root + "/proc/self/status").value_or("");
    auto rss = kilobytes(status, "VmRSS");
    if (!rss)
    {
        auto peak = posix_peak_memory();
        return {peak, peak, 0, 0};
    }
    auto shared = kilobytes(status, "RssFile").value_or(0) + // since Linux 4.5
                  kilobytes(status, "RssShmem").value_or(0);
    return {*rss, kilobytes(status, "VmHWM").value_or(*rss), shared,
            kilobytes(status, "VmSize").value_or(0)};
}

} // namespace brood::os::detail
