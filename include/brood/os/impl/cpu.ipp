// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/cpu.hpp>
#include <brood/os/detail/cpu.hpp>

namespace brood::os
{

BROOD_INLINE std::vector<cpu> cpus()
{
    return detail::cpus({});
}

BROOD_INLINE std::array<double, 3> loadavg()
{
    std::array<double, 3> averages{};
    check(::getloadavg(averages.data(), 3), "read the load average");
    return averages;
}

BROOD_INLINE unsigned available_parallelism()
{
    return detail::available_parallelism({});
}

} // namespace brood::os
