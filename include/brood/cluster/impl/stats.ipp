// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/stats_table.hpp>
#include <brood/cluster/stats.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace brood
{

BROOD_INLINE std::string to_string(worker_state state)
{
    constexpr std::array names = {"starting", "online", "ready", "draining", "ended"};
    return names.at(static_cast<std::size_t>(state));
}

BROOD_INLINE std::size_t cluster_stats::ready() const noexcept
{
    return static_cast<std::size_t>(std::count_if(workers.begin(), workers.end(),
                                                  [](auto& each)
                                                  { return each.state == worker_state::ready; }));
}

BROOD_INLINE std::string to_string(const cluster_stats& stats)
{
    detail::table_columns with;
    with.traffic = stats.traffic.any();
    with.hosts = std::any_of(stats.workers.begin(), stats.workers.end(),
                             [](auto& each) { return !each.host.empty(); });
    std::vector<detail::table_row> rows = {detail::head_row(with)};
    for (auto& each : stats.workers)
        rows.push_back(detail::to_row(each, with));
    return detail::in_columns(rows, 0) + std::to_string(stats.ready()) + " of " +
           std::to_string(stats.workers.size()) + " ready; " +
           detail::counted(stats.starts, stats.exits, stats.failures, stats.uptime);
}

BROOD_INLINE std::string in_place::next(const std::string& text)
{
    auto back = lines_ == 0 ? std::string() : "\x1b[" + std::to_string(lines_) + "A\x1b[J";
    lines_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    return back + text;
}

} // namespace brood
