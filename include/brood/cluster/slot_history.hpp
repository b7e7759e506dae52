// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/exit_info.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace brood
{

/// How often something took how long: counted in classes, so that it costs the same however often
/// it happens. Follows the histograms of Prometheus:
/// https://prometheus.io/docs/concepts/metric_types/#histogram
class duration_histogram
{
public:
    /// The longest time of each class but the last, which has what took longer than all of them.
    static constexpr std::array<std::chrono::milliseconds, 12> bounds = {
        std::chrono::milliseconds(5),      std::chrono::milliseconds(10),
        std::chrono::milliseconds(25),     std::chrono::milliseconds(50),
        std::chrono::milliseconds(100),    std::chrono::milliseconds(250),
        std::chrono::milliseconds(500),    std::chrono::milliseconds(1'000),
        std::chrono::milliseconds(2'500),  std::chrono::milliseconds(10'000),
        std::chrono::milliseconds(30'000), std::chrono::milliseconds(60'000)};

    void add(std::chrono::milliseconds time) noexcept
    {
        auto first = std::lower_bound(bounds.begin(), bounds.end(), time);
        ++counts_[static_cast<std::size_t>(first - bounds.begin())];
        sum_ += time;
    }

    /// How many took no longer than bounds[index]; all of them for the index behind the last.
    std::uint64_t up_to(std::size_t index) const noexcept
    {
        std::uint64_t result = 0;
        for (std::size_t each = 0; each <= index && each < counts_.size(); ++each)
            result += counts_[each];
        return result;
    }

    std::uint64_t count() const noexcept { return up_to(bounds.size()); }

    /// What all of them took together.
    std::chrono::milliseconds sum() const noexcept { return sum_; }

private:
    std::array<std::uint64_t, bounds.size() + 1> counts_ = {};
    std::chrono::milliseconds sum_{0};
};

/// What happened in a slot of a cluster, from the beginning, whoever had it.
struct slot_history
{
    /// Ends of its workers, by exit_cause.
    std::array<std::uint64_t, exit_cause_count> exits = {};

    std::uint64_t dispatched = 0;   ///< Connections that the primary handed over to its workers;
                                    ///< with dispatch_policy::shared() and reuse_port() none.
    duration_histogram ready_times; ///< From the start of a process to ready.
    duration_histogram drain_times; ///< From being asked to finish to the end.

    std::uint64_t ended_by(exit_cause cause) const noexcept
    {
        return exits[static_cast<std::size_t>(cause)];
    }
};

} // namespace brood
