// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/exit_info.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace brood
{

/// How workers are replaced by new ones while the others go on.
struct reload_options
{
    /// So long a new worker must live once it is ready, before the old one is asked to stop.
    std::chrono::milliseconds settle{0};

    /// When a reload to another program fails, the workers that run it already are replaced by ones
    /// that run the program from before.
    bool restore = false;
};

/// Which worker is taken away when there are to be fewer: one that does not run, or else the one
/// that was started last, or first. As worker_culling_strategy of Puma:
/// https://github.com/puma/puma/blob/master/lib/puma/dsl.rb
enum class scale_down
{
    youngest,
    oldest,
};

/// How a reload went.
struct reload_report
{
    std::size_t replaced = 0;              ///< Workers of the old generation that were replaced.
    std::size_t restored = 0;              ///< Of those, how many got the old program back.
    std::optional<exit_info> failure = {}; ///< The new worker with which it ended before its time.
    bool stopped = false;                  ///< It ended before its time because the cluster did.

    /// Whether all workers were replaced.
    bool complete() const noexcept { return !failure && !stopped; }
};

/// "replaced 4 workers", "replaced 1 worker, then stopped: worker 7 in slot 1: …".
inline std::string to_string(const reload_report& report)
{
    auto text = "replaced " + std::to_string(report.replaced) +
                (report.replaced == 1 ? " worker" : " workers");
    if (report.failure)
        text += ", then stopped: " + to_string(*report.failure);
    if (report.stopped)
        text += ", then the cluster was stopped";
    if (report.restored != 0)
        text += "; " + std::to_string(report.restored) + " restored";
    return text;
}

/// Prints what to_string gives.
template <class Stream>
auto operator<<(Stream& stream, const reload_report& report) -> decltype(stream << std::string())
{
    return stream << to_string(report);
}

} // namespace brood
