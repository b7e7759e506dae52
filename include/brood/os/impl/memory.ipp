// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/memory.hpp>
#include <brood/os/memory.hpp>

namespace brood::os
{

BROOD_INLINE std::uint64_t total_memory()
{
    return detail::total_memory({});
}

BROOD_INLINE std::uint64_t free_memory()
{
    return detail::free_memory({});
}

BROOD_INLINE std::uint64_t constrained_memory()
{
    return detail::constrained_memory({});
}

BROOD_INLINE std::uint64_t available_memory()
{
    return detail::available_memory({});
}

BROOD_INLINE process_memory memory_usage()
{
    return detail::memory_usage({});
}

} // namespace brood::os
