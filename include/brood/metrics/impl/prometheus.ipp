// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/metrics/detail/prometheus_writer.hpp>
#include <brood/metrics/prometheus.hpp>

namespace brood
{
namespace detail
{

BROOD_INLINE std::string digits(std::uint64_t value)
{
    return std::to_string(value);
}

BROOD_INLINE void write_cluster(prometheus_writer& out, const cluster_stats& stats)
{
    out.one("brood_cluster_uptime_seconds", "gauge", "How long the cluster has run.",
            seconds(stats.uptime));
    out.one("brood_cluster_slots", "gauge", "Workers that are wanted.",
            digits(stats.workers.size()));
    out.one("brood_cluster_ready", "gauge", "Workers that can be given work.",
            digits(stats.ready()));
    out.one("brood_cluster_draining", "gauge", "Workers that were asked to finish and still live.",
            digits(stats.draining));
    out.one("brood_cluster_starts_total", "counter", "Workers that were started.",
            digits(stats.starts));
    out.one("brood_cluster_exits_total", "counter", "Workers that have ended.",
            digits(stats.exits));
    out.one("brood_cluster_failures_total", "counter", "Ends that nobody wanted.",
            digits(stats.failures));
    out.each_port("brood_port_waiting_connections", "Connections that nobody has accepted yet.",
                  &port_stats::waiting);
    out.each_port("brood_port_backlog", "How many connections can wait.", &port_stats::room);
}

BROOD_INLINE void write_workers(prometheus_writer& out)
{
    out.each("brood_worker_ready", "gauge", "Whether the worker can be given work.",
             [](auto& one) { return one.state == worker_state::ready ? "1" : "0"; });
    out.each("brood_worker_draining", "gauge", "Workers of the slot that finish.",
             [](auto& one) { return digits(one.draining); });
    out.each("brood_worker_uptime_seconds", "gauge", "How long the worker has run.",
             [](auto& one) { return seconds(one.uptime); });
    out.each("brood_worker_heartbeat_age_seconds", "gauge", "Since its loop last came round.",
             [](auto& one)
             { return one.heartbeat_age ? seconds(*one.heartbeat_age) : std::string(); });
    out.each("brood_worker_processor_seconds", "gauge", "Processor time of the worker.",
             [](auto& one) { return seconds(one.processor_time); });
    out.each("brood_worker_resident_memory_bytes", "gauge", "Memory of the worker in RAM.",
             [](auto& one) { return digits(one.memory); });
}

BROOD_INLINE void write_slots(prometheus_writer& out)
{
    out.each("brood_worker_starts_total", "counter", "Workers that the slot has had.",
             [](auto& one) { return digits(one.starts); });
    out.each("brood_worker_failures_total", "counter", "Workers of the slot that failed.",
             [](auto& one) { return digits(one.failures); });
    out.each_cause("brood_worker_exits_total", "Workers of the slot that have ended, and why.");
    out.each_histogram("brood_worker_ready_seconds", "From the start of a worker to ready.",
                       &slot_history::ready_times);
    out.each_histogram("brood_worker_drain_seconds", "From being asked to finish to the end.",
                       &slot_history::drain_times);
}

BROOD_INLINE void write_traffic(prometheus_writer& out)
{
    out.each("brood_worker_dispatched_connections_total", "counter",
             "Connections that the primary handed over.",
             [](auto& one) { return digits(one.history.dispatched); });
    out.each("brood_worker_connections", "gauge", "Connections that are open.",
             [](auto& one) { return digits(one.slot_traffic.open_connections); });
    out.each("brood_worker_accepted_connections_total", "counter", "Connections so far.",
             [](auto& one) { return digits(one.slot_traffic.connections); });
    out.each("brood_worker_requests_total", "counter", "Requests that were served.",
             [](auto& one) { return digits(one.slot_traffic.requests); });
    out.each("brood_worker_requests_in_flight", "gauge", "Requests that are not answered yet.",
             [](auto& one) { return digits(one.slot_traffic.open_requests); });
    out.each("brood_worker_failed_requests_total", "counter", "Requests that the server failed.",
             [](auto& one) { return digits(one.slot_traffic.failed_requests); });
    out.each("brood_worker_received_bytes_total", "counter", "Bytes from clients.",
             [](auto& one) { return digits(one.slot_traffic.bytes_received); });
    out.each("brood_worker_sent_bytes_total", "counter", "Bytes to clients.",
             [](auto& one) { return digits(one.slot_traffic.bytes_sent); });
}

} // namespace detail

BROOD_INLINE std::string prometheus_text(const cluster_stats& stats, std::string_view name)
{
    detail::prometheus_writer out(stats, name);
    detail::write_cluster(out, stats);
    detail::write_workers(out);
    detail::write_slots(out);
    detail::write_traffic(out);
    return out.text();
}

} // namespace brood
