// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/metrics/detail/prometheus_writer.hpp>
#include <brood/metrics/prometheus.hpp>

#include <utility>
#include <vector>

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
                  stats.ports, &port_stats::waiting);
    out.each_port("brood_port_backlog", "How many connections can wait.", stats.ports,
                  &port_stats::room);
}

BROOD_INLINE void write_readiness(prometheus_writer& out)
{
    out.each("ready", "gauge", "Whether the worker can be given work.",
             [](auto& one) { return one.state == worker_state::ready ? "1" : "0"; });
}

BROOD_INLINE void write_workers(prometheus_writer& out)
{
    out.each_host("host_info", "Where a worker elsewhere runs.");
    out.each("draining", "gauge", "Workers of the slot that finish.",
             [](auto& one) { return digits(one.draining); });
    out.each("uptime_seconds", "gauge", "How long the worker has run.",
             [](auto& one) { return seconds(one.uptime); });
    out.each("heartbeat_age_seconds", "gauge", "Since its loop last came round.",
             [](auto& one)
             { return one.heartbeat_age ? seconds(*one.heartbeat_age) : std::string(); });
    out.each("processor_seconds", "gauge", "Processor time of the worker.",
             [](auto& one) { return seconds(one.processor_time); });
    out.each("resident_memory_bytes", "gauge", "Memory of the worker in RAM.",
             [](auto& one) { return digits(one.memory); });
}

BROOD_INLINE void write_counts(prometheus_writer& out)
{
    out.each("starts_total", "counter", "Workers that the slot has had.",
             [](auto& one) { return digits(one.starts); });
    out.each("failures_total", "counter", "Workers of the slot that failed.",
             [](auto& one) { return digits(one.failures); });
}

BROOD_INLINE void write_history(prometheus_writer& out)
{
    out.each_cause("exits_total", "Workers of the slot that have ended, and why.");
    out.each_histogram("ready_seconds", "From the start of a worker to ready.",
                       &slot_history::ready_times);
    out.each_histogram("drain_seconds", "From being asked to finish to the end.",
                       &slot_history::drain_times);
}

BROOD_INLINE void write_traffic(prometheus_writer& out)
{
    out.each("dispatched_connections_total", "counter", "Connections that the primary handed over.",
             [](auto& one) { return digits(one.history.dispatched); });
    out.each("connections", "gauge", "Connections that are open.",
             [](auto& one) { return digits(one.slot_traffic.open_connections); });
    out.each("accepted_connections_total", "counter", "Connections so far.",
             [](auto& one) { return digits(one.slot_traffic.connections); });
    out.each("requests_total", "counter", "Requests that were served.",
             [](auto& one) { return digits(one.slot_traffic.requests); });
    out.each("requests_in_flight", "gauge", "Requests that are not answered yet.",
             [](auto& one) { return digits(one.slot_traffic.open_requests); });
    out.each("failed_requests_total", "counter", "Requests that the server failed.",
             [](auto& one) { return digits(one.slot_traffic.failed_requests); });
    out.each("received_bytes_total", "counter", "Bytes from clients.",
             [](auto& one) { return digits(one.slot_traffic.bytes_received); });
    out.each("sent_bytes_total", "counter", "Bytes to clients.",
             [](auto& one) { return digits(one.slot_traffic.bytes_sent); });
}

BROOD_INLINE std::string write_all(prometheus_writer& out)
{
    write_workers(out);
    write_history(out);
    write_traffic(out);
    return out.text();
}

BROOD_INLINE void write_supervisor(prometheus_writer& out, const supervisor_stats& stats)
{
    out.one("brood_supervisor_uptime_seconds", "gauge", "Since its last start.",
            seconds(stats.uptime));
    out.one("brood_supervisor_workers", "gauge", "Workers at any depth.", digits(stats.workers()));
    out.one("brood_supervisor_ready", "gauge", "Workers that can be given work.",
            digits(stats.ready()));
    out.one("brood_supervisor_starts_total", "counter", "Workers that were started.",
            digits(stats.starts));
    out.one("brood_supervisor_exits_total", "counter", "Workers that have ended.",
            digits(stats.exits));
    out.one("brood_supervisor_failures_total", "counter", "Ends that nobody wanted.",
            digits(stats.failures));
    auto& children = stats.children;
    out.each_child("ready", "gauge", "Whether the child can be given work.", children,
                   [](auto& one) { return one.state == child_state::ready ? 1U : 0U; });
    out.each_child("starts_total", "counter", "How often the child was started.", children,
                   [](auto& one) { return one.starts; });
    out.each_child("failures_total", "counter", "How often the child failed.", children,
                   [](auto& one) { return one.failures; });
}

} // namespace detail

BROOD_INLINE std::string prometheus_text(const cluster_stats& stats, std::string_view name)
{
    auto label = "cluster=\"" + detail::escaped_label(name) + '"';
    std::vector<detail::labelled_figures> workers;
    for (auto& each : stats.workers)
        workers.push_back({label + ",slot=\"" + std::to_string(each.slot) + '"', each});
    detail::prometheus_writer out(label, "brood_worker_", std::move(workers));
    detail::write_cluster(out, stats);
    detail::write_readiness(out);
    detail::write_counts(out);
    return detail::write_all(out);
}

BROOD_INLINE std::string prometheus_text(const supervisor_stats& stats, std::string_view name)
{
    auto label = "supervisor=\"" + detail::escaped_label(name) + '"';
    std::vector<detail::labelled_figures> workers;
    for (auto& each : stats.children)
        if (each.worker)
            workers.push_back(
                {label + ",child=\"" + detail::escaped_label(each.name) + '"', *each.worker});
    detail::prometheus_writer out(label, "brood_child_", std::move(workers));
    detail::write_supervisor(out, stats);
    return detail::write_all(out);
}

} // namespace brood
