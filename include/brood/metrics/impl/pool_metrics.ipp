// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/metrics/detail/prometheus_writer.hpp>
#include <brood/metrics/pool_metrics.hpp>
#include <brood/metrics/prometheus.hpp>

namespace brood
{

BROOD_INLINE std::string prometheus_text(const pool_stats& stats, std::string_view name)
{
    detail::prometheus_writer out("pool=\"" + detail::escaped_label(name) + '"', "brood_pool_", {});
    auto one = [&](std::string_view what, std::string_view kind, std::string_view help,
                   std::uint64_t value)
    {
        out.one("brood_pool_" + std::string(what), kind, help, std::to_string(value));
    };
    one("waiting_calls", "gauge", "Calls that wait for a worker.", stats.waiting);
    one("running_calls", "gauge", "Calls that are with a worker.", stats.running);
    one("done_calls_total", "counter", "Calls that gave a result.", stats.done);
    one("failed_calls_total", "counter", "Calls that threw or were lost.", stats.failed);
    one("retried_calls_total", "counter", "Calls that were begun again.", stats.retried);
    one("late_calls_total", "counter", "Calls that were late.", stats.timed_out);
    one("cancelled_calls_total", "counter", "Calls whose callers had gone.", stats.cancelled);
    out.histogram("call_seconds", "How long the function took.", stats.times);
    out.each_slot<slot_calls>("slot_running_calls", "gauge", "Calls that are with the worker.",
                              stats.slots, [](auto& each) { return each.running; });
    out.each_slot<slot_calls>("slot_done_calls_total", "counter", "Calls that gave a result.",
                              stats.slots, [](auto& each) { return each.done; });
    out.each_slot<slot_calls>("slot_failed_calls_total", "counter",
                              "Calls that threw, or ended the worker.", stats.slots,
                              [](auto& each) { return each.failed; });
    return out.text() + prometheus_text(stats.workers, name);
}

} // namespace brood
