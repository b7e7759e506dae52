// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/process_activity.hpp>
#include <brood/cluster/detail/core/workforce.hpp>
#include <brood/cluster/stats.hpp>
#include <brood/process/internal/vital_signs.hpp>

#include <chrono>

namespace brood::detail
{

/// What can be counted and measured of a worker and its slot now, but for the starts and failures
/// of that, which who keeps it counts.
inline worker_stats figures_of(workforce& all, const worker_core& worker,
                               std::chrono::steady_clock::time_point now)
{
    worker_stats one;
    one.slot = worker.slot;
    one.id = worker.id;
    one.state = worker.state;
    one.traffic = worker.traffic;
    one.slot_traffic = all.traffic().of_slot(worker.slot);
    one.history = *all.history_of(worker.slot);
    one.listening_at = worker.listening_at;
    one.host = host_of(worker);
    for (auto& each : all.living())
        if (each->state == worker_state::draining && each->slot == worker.slot)
            ++one.draining;
    if (auto ended = worker.ended.peek())
    {
        one.uptime = ended->uptime;
        return one;
    }
    one.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(now - worker.started);
    one.pid = worker.process.pid();
    if (worker.is_elsewhere)
        return one; // what runs here is the process of its launcher
    one.memory = process_activity::resident_memory(one.pid);
    one.processor_time = process_activity::of(one.pid).processor_time();
    if (worker.signs)
        one.heartbeat_age = vital_signs::read(worker.signs).age(now);
    return one;
}

} // namespace brood::detail
