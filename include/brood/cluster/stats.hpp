// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/slot_history.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/traffic.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace brood
{

/// "starting", "online", "ready", "draining", "ended".
std::string to_string(worker_state state);

/// A slot of a cluster and the worker in it, at one moment.
struct worker_stats
{
    std::size_t slot = 0;
    std::uint64_t id = 0;
    pid_t pid = 0; ///< 0 once it has ended.
    worker_state state = worker_state::starting;
    std::chrono::milliseconds uptime{0};         ///< Of this worker.
    std::chrono::milliseconds processor_time{0}; ///< As long as it lives; 0 of one elsewhere.
    std::size_t memory = 0;                      ///< Resident, in bytes; the same.
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
    std::string host; ///< Of a worker elsewhere, once it is known; empty for this machine.
};

/// A TCP port of a cluster.
struct port_stats
{
    std::string address;      ///< "127.0.0.1:8080"
    std::size_t waiting = 0;  ///< Connections in its backlog, which nobody has accepted yet.
    std::size_t room = 0;     ///< So many can wait; further ones are not answered.
    std::size_t given_up = 0; ///< Connections that were closed, because two workers died when they
                              ///< had just been given them: by the primary alone, which hands over.
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
    std::size_t ready() const noexcept;
};

/// A table for people: a line for each slot, and one for all. What was served is shown once
/// anything was, by slot, and hosts once a worker is elsewhere.
std::string to_string(const cluster_stats& stats);

/// Text on a terminal that takes the place of the text before:
/// `std::cout << table.next(to_string(workers.stats())) << std::flush`, as often as one likes.
class in_place
{
public:
    /// The text, behind what moves the cursor to where the one before began and clears it.
    std::string next(const std::string& text);

private:
    std::size_t lines_ = 0; // of the text before
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/stats.ipp>
#endif
