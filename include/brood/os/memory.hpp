// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>

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

} // namespace brood::os

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/os/impl/memory.ipp>
#endif
