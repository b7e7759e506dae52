// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/stats.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What stands in the cells of the table that a person sees.

namespace brood::detail
{

// "850 ms", "12.3 s", "4 min", "7 h", "12 d".
inline std::string rounded(std::chrono::milliseconds time)
{
    auto count = time.count();
    if (count < 1'000)
        return std::to_string(count) + " ms";
    if (count < 100'000)
        return std::to_string(count / 1'000) + '.' + std::to_string(count / 100 % 10) + " s";
    if (count < 100 * 60'000)
        return std::to_string(count / 60'000) + " min";
    auto hours = count / 3'600'000;
    return hours < 100 ? std::to_string(hours) + " h" : std::to_string(hours / 24) + " d";
}

// With the unit that leaves at most three digits before the point, and one after it below 100.
inline std::string rounded(std::uint64_t count, unsigned step,
                           const std::array<std::string_view, 7>& units)
{
    std::uint64_t rest = 0;
    std::size_t unit = 0;
    for (; count >= (unit == 0 ? step : 1'000); ++unit)
    {
        rest = count % step * 10 / step;
        count /= step;
    }
    auto text = std::to_string(count);
    if (unit != 0 && count < 100)
        text += '.' + std::to_string(rest);
    return text.append(units.at(unit));
}

// "950", "12.3k", "450M".
inline std::string rounded_count(std::uint64_t count)
{
    return rounded(count, 1'000, {"", "k", "M", "G", "T", "P", "E"});
}

// "950 B", "12.3 KiB", "450 MiB".
inline std::string rounded_bytes(std::uint64_t count)
{
    return rounded(count, 1'024, {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"});
}

using table_row = std::vector<std::string>;

// The rows below each other: to the right, but for what is in the first columns, so many, and in
// the last.
inline std::string in_columns(const std::vector<table_row>& rows, std::size_t to_the_left)
{
    std::string text;
    for (auto& row : rows)
    {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column)
        {
            std::size_t width = 0;
            for (auto& other : rows)
                width = std::max(width, other[column].size());
            std::string gap(column + 1 == row.size() ? 0 : width - row[column].size(), ' ');
            line += column < to_the_left ? row[column] + gap : gap + row[column];
            line += column + 1 == row.size() ? "" : "  ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

// "12 starts, 10 exits, 3 failed; up 93 min"
inline std::string counted(std::size_t starts, std::size_t exits, std::size_t failures,
                           std::chrono::milliseconds uptime)
{
    return std::to_string(starts) + " starts, " + std::to_string(exits) + " exits, " +
           std::to_string(failures) + " failed; up " + rounded(uptime) + '\n';
}

/// Which columns there are that not every cluster needs.
struct table_columns
{
    bool traffic = false;
    bool hosts = false;
};

inline table_row to_row(const worker_stats& one, const table_columns& with)
{
    table_row row = {std::to_string(one.slot),
                     std::to_string(one.id),
                     one.pid != 0 ? std::to_string(one.pid) : "-",
                     to_string(one.state),
                     rounded(one.uptime),
                     rounded(one.processor_time),
                     std::to_string(one.memory >> 10) + " KiB",
                     std::to_string(one.starts),
                     std::to_string(one.failures)};
    if (with.traffic)
        for (auto& text : {rounded_count(one.slot_traffic.requests),
                           rounded_bytes(one.slot_traffic.bytes_received),
                           rounded_bytes(one.slot_traffic.bytes_sent)})
            row.push_back(text);
    if (with.hosts)
        row.push_back(one.host.empty() ? "-" : one.host);
    std::string ports;
    for (auto& each : one.listening_at)
        ports += (ports.empty() ? "" : " ") + each;
    row.push_back(ports);
    return row;
}

inline table_row head_row(const table_columns& with)
{
    table_row row = {"SLOT", "WORKER", "PID",    "STATE", "UPTIME",
                     "CPU",  "MEMORY", "STARTS", "FAILED"};
    if (with.traffic)
        row.insert(row.end(), {"REQUESTS", "IN", "OUT"});
    if (with.hosts)
        row.push_back("HOST");
    row.push_back("LISTENS ON");
    return row;
}

} // namespace brood::detail
