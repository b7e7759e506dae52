// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/pool_stats.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace brood
{

BROOD_INLINE std::string to_string(const pool_stats& stats)
{
    std::string text = "slot   running        done      failed\n";
    for (auto& each : stats.slots)
    {
        std::array<char, 96> line{};
        std::snprintf(line.data(), line.size(), "%4zu  %8zu  %10llu  %10llu\n", each.slot,
                      each.running, static_cast<unsigned long long>(each.done),
                      static_cast<unsigned long long>(each.failed));
        text += line.data();
    }
    auto mean = stats.times.sum().count() /
                static_cast<std::int64_t>(std::max<std::uint64_t>(stats.times.count(), 1));
    return text + std::to_string(stats.waiting) + " waiting, " + std::to_string(stats.running) +
           " running; " + std::to_string(stats.done) + " done, " + std::to_string(stats.failed) +
           " failed, " + std::to_string(stats.retried) + " retried, " +
           std::to_string(stats.timed_out) + " late, " + std::to_string(stats.cancelled) +
           " cancelled; " + std::to_string(mean) + " ms each\n" + to_string(stats.workers);
}

} // namespace brood
