// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <vector>

namespace brood::test
{

/// The pids of the workers of a cluster that live now, by slot.
template <class Cluster>
std::vector<pid_t> pids_of(const Cluster& workers)
{
    std::vector<pid_t> result;
    for (auto& each : workers.workers())
        result.push_back(each.pid());
    return result;
}

} // namespace brood::test
