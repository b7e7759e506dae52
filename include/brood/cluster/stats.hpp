// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/slot_history.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/traffic.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{

/// "starting", "online", "ready", "draining", "ended".
inline std::string to_string(worker_state state)
{
    constexpr std::array names = {"starting", "online", "ready", "draining", "ended"};
    return names.at(static_cast<std::size_t>(state));
}

/// A slot of a cluster and the worker in it, at one moment.
struct worker_stats
{
    std::size_t slot = 0;
    std::uint64_t id = 0;
    pid_t pid = 0; ///< 0 once it has ended.
    worker_state state = worker_state::starting;
    std::chrono::milliseconds uptime{0};         ///< Of this worker.
    std::chrono::milliseconds processor_time{0}; ///< Of this worker, as long as it lives.
    std::size_t memory = 0;                      ///< Resident, in bytes, as long as it lives.
    std::size_t starts = 0;                      ///< Of all workers that this slot has had.
    std::size_t failures = 0;                    ///< Of all workers that this slot has had.
    traffic_stats traffic;                       ///< What this worker has served.
    traffic_stats slot_traffic; ///< What all workers of this slot have; those that drain included.
    slot_history history;       ///< What happened in this slot.
    std::size_t draining = 0;   ///< Workers of this slot that were asked to finish and still live.
    std::optional<std::chrono::milliseconds>
        heartbeat_age; ///< Since its loop last came round. Nothing before it is online, after its
                       ///< end, and while the watchdog is off.
    std::vector<std::string> listening_at;
};

/// A TCP port of a cluster.
struct port_stats
{
    std::string address;     ///< "127.0.0.1:8080"
    std::size_t waiting = 0; ///< Connections in its backlog, which nobody has accepted yet.
    std::size_t room = 0;    ///< So many can wait; further ones are not answered.
};

/// A cluster at one moment: made by cluster::stats(). Nothing is measured while nobody asks.
struct cluster_stats
{
    std::chrono::milliseconds uptime{0}; ///< Of the cluster.
    std::size_t starts = 0;              ///< Of workers, from the beginning.
    std::size_t exits = 0;
    std::size_t failures = 0; ///< Those exits that the cluster did not want.
    std::size_t draining = 0; ///< Workers that were asked to finish and still live, with a slot or
                              ///< without.
    traffic_stats traffic;    ///< What all workers have served, from the beginning.
    std::vector<worker_stats> workers;
    std::vector<port_stats> ports; ///< Where the system tells how many wait: on Linux.

    /// How many workers can be given work.
    std::size_t ready() const noexcept
    {
        return static_cast<std::size_t>(
            std::count_if(workers.begin(), workers.end(),
                          [](auto& each) { return each.state == worker_state::ready; }));
    }
};

namespace detail
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

inline table_row to_row(const worker_stats& one, bool with_traffic)
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
    if (with_traffic)
        for (auto& text : {rounded_count(one.slot_traffic.requests),
                           rounded_bytes(one.slot_traffic.bytes_received),
                           rounded_bytes(one.slot_traffic.bytes_sent)})
            row.push_back(text);
    std::string ports;
    for (auto& each : one.listening_at)
        ports += (ports.empty() ? "" : " ") + each;
    row.push_back(ports);
    return row;
}

inline table_row head_row(bool with_traffic)
{
    table_row row = {"SLOT", "WORKER", "PID",    "STATE", "UPTIME",
                     "CPU",  "MEMORY", "STARTS", "FAILED"};
    if (with_traffic)
        row.insert(row.end(), {"REQUESTS", "IN", "OUT"});
    row.push_back("LISTENS ON");
    return row;
}

} // namespace detail

/// A table for people: a line for each slot, and one for all. What was served is shown once
/// anything was, by slot.
inline std::string to_string(const cluster_stats& stats)
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

/// Text on a terminal that takes the place of the text before:
/// `std::cout << table.next(to_string(workers.stats())) << std::flush`, as often as one likes.
class in_place
{
public:
    /// The text, behind what moves the cursor to where the one before began and clears it.
    std::string next(const std::string& text)
    {
        auto back = lines_ == 0 ? std::string() : "\x1b[" + std::to_string(lines_) + "A\x1b[J";
        lines_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        return back + text;
    }

private:
    std::size_t lines_ = 0; // of the text before
};

} // namespace brood
