// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/stats_table.hpp>
#include <brood/cluster/supervisor_stats.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace brood
{
namespace detail
{

BROOD_INLINE table_row to_row(const child_stats& one, const table_columns& with)
{
    auto row = to_row(one.worker.value_or(worker_stats()), with);
    row.erase(row.begin()); // its slot, and then its number
    row.front() = one.name;
    constexpr std::size_t state = 2, uptime = 3, starts = 6, failures = 7;
    row[state] = to_string(one.state);
    row[starts] = std::to_string(one.starts);
    row[failures] = std::to_string(one.failures);
    if (!one.worker)
        std::fill(row.begin() + uptime, row.begin() + starts, "-");
    return row;
}

} // namespace detail

BROOD_INLINE std::string to_string(child_state state)
{
    constexpr std::array names = {"waiting", "starting", "ready",   "draining",
                                  "ended",   "done",     "stopped", "parked"};
    return names.at(static_cast<std::size_t>(state));
}

BROOD_INLINE std::size_t supervisor_stats::workers() const noexcept
{
    return static_cast<std::size_t>(std::count_if(
        children.begin(), children.end(), [](auto& each) { return each.worker.has_value(); }));
}

BROOD_INLINE std::size_t supervisor_stats::ready() const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(children.begin(), children.end(),
                      [](auto& each) { return each.worker && each.state == child_state::ready; }));
}

BROOD_INLINE std::string to_string(const supervisor_stats& stats)
{
    detail::table_columns with;
    with.traffic =
        std::any_of(stats.children.begin(), stats.children.end(),
                    [](auto& each) { return each.worker && each.worker->slot_traffic.any(); });
    with.hosts = std::any_of(stats.children.begin(), stats.children.end(),
                             [](auto& each) { return each.worker && !each.worker->host.empty(); });
    auto head = detail::head_row(with);
    head.erase(head.begin());
    head.front() = "CHILD";
    std::vector<detail::table_row> rows = {head};
    for (auto& each : stats.children)
        rows.push_back(detail::to_row(each, with));
    return detail::in_columns(rows, 1) + std::to_string(stats.ready()) + " of " +
           std::to_string(stats.workers()) + " ready; " +
           detail::counted(stats.starts, stats.exits, stats.failures, stats.uptime);
}

} // namespace brood
