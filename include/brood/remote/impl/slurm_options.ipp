// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/slurm_options.hpp>

#include <stdexcept>
#include <string>

namespace brood
{

BROOD_INLINE void slurm_options::check() const
{
    auto refuse = [](const std::string& why)
    {
        throw std::invalid_argument("brood: slurm options: " + why);
    };
    if (cpus_per_task == 0)
        refuse("cpus_per_task is 1 at least: a worker needs a processor");
    if (starts_at_once == 0)
        refuse("starts_at_once is 1 at least");
    if (tasks != 0 && tasks < nodes)
        refuse("fewer tasks than nodes: " + std::to_string(nodes - tasks) +
               " nodes would have no worker");
    if (time && time->count() <= 0)
        refuse("time is a minute at least");
    if (wait && wait->count() <= 0)
        refuse("wait is a second at least; without it there is no limit");
    if (exported.empty())
        refuse("exported is \"ALL\", \"NONE\" or names of variables between commas");
}

} // namespace brood
