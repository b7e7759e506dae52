// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>

#include <cstdint>
#include <sys/resource.h>
#include <unistd.h>

namespace brood::os::detail
{

// Where sysconf(3) does not know how many pages are free, it refuses -1 as it would the name.
#ifdef _SC_AVPHYS_PAGES
inline constexpr int free_pages = _SC_AVPHYS_PAGES;
#else
inline constexpr int free_pages = -1;
#endif

// The unit of ru_maxrss, by the getrusage(2) of each system.
#ifdef __APPLE__
inline constexpr std::uint64_t bytes_per_maxrss = 1;
#else
inline constexpr std::uint64_t bytes_per_maxrss = 1024;
#endif

/// A number of pages that sysconf(3) knows, in bytes.
inline std::uint64_t posix_pages(int name, const char* what)
{
    auto pages = static_cast<std::uint64_t>(check(::sysconf(name), "read", what));
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

inline std::uint64_t posix_total_memory()
{
    return posix_pages(_SC_PHYS_PAGES, "the size of the memory");
}

inline std::uint64_t posix_free_memory()
{
    return posix_pages(free_pages, "how much memory is free");
}

/// The most memory this process has ever had.
inline std::uint64_t posix_peak_memory()
{
    rusage used{};
    check(::getrusage(RUSAGE_SELF, &used), "read", "how much memory this process uses");
    return static_cast<std::uint64_t>(used.ru_maxrss) * bytes_per_maxrss;
}

} // namespace brood::os::detail
