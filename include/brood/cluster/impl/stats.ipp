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
    auto with_traffic = stats.traffic.any();
    std::vector<detail::table_row> rows = {detail::head_row(with_traffic)};
    for (auto& each : stats.workers)
        rows.push_back(detail::to_row(each, with_traffic));
    std::string text;
    for (auto& row : rows)
    {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column)
        {
            std::size_t width = 0;
            for (auto& other : rows)
                width = std::max(width, other[column].size());
            auto last = column + 1 == row.size();
            line += std::string(last ? 0 : width - row[column].size(), ' ') + row[column];
            line += last ? "" : "  ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text + std::to_string(stats.ready()) + " of " + std::to_string(stats.workers.size()) +
           " ready; " + std::to_string(stats.starts) + " starts, " + std::to_string(stats.exits) +
           " exits, " + std::to_string(stats.failures) + " failed; up " +
           detail::rounded(stats.uptime) + '\n';
}

BROOD_INLINE std::string in_place::next(const std::string& text)
{
    auto back = lines_ == 0 ? std::string() : "\x1b[" + std::to_string(lines_) + "A\x1b[J";
    lines_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    return back + text;
}

} // namespace brood
