// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/process/internal/vital_signs.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>

#include <algorithm>
#include <cstdint>

namespace brood::detail
{

/// Tells a worker that has come online how often to beat, and into which file, and how many
/// connections it is to accept in its life. Throws std::system_error when there is no such file.
inline void greet(worker_core& worker, const cluster_settings& settings)
{
    // Its beats wake it up: one that is not watched sleeps for as long as it is idle.
    auto& watchdog = settings.watchdog;
    vital_signs_request request{watchdog.on() ? watchdog.tick.count() : 0};
    if (!worker.is_elsewhere) // which is asked again and again
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
