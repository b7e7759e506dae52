// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/memory_limit.hpp>
#include <brood/os/detail/posix_memory.hpp>
#include <brood/os/detail/text.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace brood::os
{

/// The memory of the machine, in bytes.
///
/// Follows Node's os.totalmem(): https://nodejs.org/api/os.html#ostotalmem
std::uint64_t total_memory();

/// How much of it programs could have now, in bytes: what is unused, and what the kernel would give
/// up for them. The limits of this process do not count: see available_memory().
///
/// Throws std::system_error on systems that tell it in ways of their own only (macOS, FreeBSD).
/// Follows MemAvailable in proc_meminfo(5), as Node's os.freemem():
/// https://nodejs.org/api/os.html#osfreemem
std::uint64_t free_memory();

/// The limit of the memory of this process, in bytes; 0 when nothing limits it. It may be more than
/// the machine has.
///
/// That is the smallest of the limits, hard and soft, of its control group and of those above it,
/// and of its resource limits RLIMIT_AS and RLIMIT_DATA.
/// Follows cgroups(7), getrlimit(2) and Node's process.constrainedMemory():
/// https://nodejs.org/api/process.html#processconstrainedmemory
std::uint64_t constrained_memory();

/// How much memory this process could still have, in bytes: what is free, or what one of its
/// control groups leaves it, whichever is less.
///
/// Throws as free_memory().
/// Follows Node's process.availableMemory():
/// https://nodejs.org/api/process.html#processavailablememory
std::uint64_t available_memory();

/// How much memory a process has, in bytes.
struct process_memory
{
    std::uint64_t rss = 0;          ///< In main memory now, the resident set.
    std::uint64_t peak_rss = 0;     ///< The most of it there has been.
    std::uint64_t shared = 0;       ///< Of the resident set: files, and memory shared with others.
    std::uint64_t virtual_size = 0; ///< All of its addresses, used or not.
};

/// How much memory this process has.
///
/// Where there is no /proc/self/status only the peak is known: it stands for the resident set as
/// well, and the others are 0.
/// Follows proc_pid_status(5), getrusage(2) and the rss of Node's process.memoryUsage():
/// https://nodejs.org/api/process.html#processmemoryusage
process_memory memory_usage();

namespace detail
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

} // namespace detail

inline std::uint64_t total_memory()
{
    return detail::total_memory({});
}

inline std::uint64_t free_memory()
{
    return detail::free_memory({});
}

inline std::uint64_t constrained_memory()
{
    return detail::constrained_memory({});
}

inline std::uint64_t available_memory()
{
    return detail::available_memory({});
}

inline process_memory memory_usage()
{
    return detail::memory_usage({});
}

} // namespace brood::os
