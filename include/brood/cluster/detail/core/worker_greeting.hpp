// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/process/internal/vital_signs.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/process/launcher.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>

#include <algorithm>
#include <cstdint>

namespace brood::detail
{

/// How often a primary and its workers elsewhere say that they are alive.
inline std::chrono::milliseconds touch_interval(const watchdog& settings)
{
    std::chrono::milliseconds longest(2'000);
    return settings.on() ? std::min(longest, settings.stale_after / 4) : longest;
}

/// Tells a worker that has come online how often to beat, and into which file, and how many
/// connections it is to accept in its life. Throws std::system_error when there is no such file.
inline void greet(worker_core& worker, const cluster_settings& settings)
{
    // Its beats wake it up: one that is not watched sleeps for as long as it is idle.
    auto& watchdog = settings.watchdog;
    vital_signs_request request{watchdog.on() ? watchdog.tick.count() : 0};
    if (worker.is_elsewhere)
    {
        keep_in_touch_request touch{touch_interval(watchdog).count(),
                                    settings.spawn.launcher->orphan_grace().count()};
        send_control(*worker.process.link(), touch);
    }
    else
    {
        worker.signs = vital_signs::make_file();
        send_control(*worker.process.link(), request, worker.signs.duplicate());
    }
    auto& limits = settings.recycle;
    if (limits.max_connections == 0)
        return;
    auto count = limits.varied(static_cast<double>(limits.max_connections), worker.id);
    send_control(*worker.process.link(),
                 recycle_request{static_cast<std::uint64_t>(std::max(count, 1.0))});
}

} // namespace brood::detail
