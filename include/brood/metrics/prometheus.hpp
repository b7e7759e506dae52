// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/stats.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace brood
{

namespace detail
{

// The characters that end a value of a label.
inline std::string escaped_label(std::string_view value)
{
    std::string text;
    for (char letter : value)
    {
        if (letter == '\\' || letter == '"')
            text += '\\';
        if (letter == '\n')
            text += "\\n";
        else
            text += letter;
    }
    return text;
}

inline std::string seconds(std::chrono::milliseconds time)
{
    auto rest = std::to_string(time.count() % 1'000);
    return std::to_string(time.count() / 1'000) + '.' + std::string(3 - rest.size(), '0') + rest;
}

/// Metrics of a cluster as lines of text.
class prometheus_writer
{
public:
    prometheus_writer(const cluster_stats& stats, std::string_view name)
        : stats_(stats), label_("cluster=\"" + escaped_label(name) + '"')
    {
    }

    void one(std::string_view name, std::string_view kind, std::string_view help,
             const std::string& value)
    {
        head(name, kind, help);
        line(name, label_, value);
    }

    void each(std::string_view name, std::string_view kind, std::string_view help,
              const std::function<std::string(const worker_stats&)>& value)
    {
        head(name, kind, help);
        for (auto& worker : stats_.workers)
            line(name, label_ + ",slot=\"" + std::to_string(worker.slot) + '"', value(worker));
    }

    const std::string& text() const noexcept { return text_; }

private:
    void head(std::string_view name, std::string_view kind, std::string_view help)
    {
        text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
        text_.append("# TYPE ").append(name).append(" ").append(kind).append("\n");
    }

    void line(std::string_view name, const std::string& labels, const std::string& value)
    {
        text_.append(name).append("{").append(labels).append("} ").append(value).append("\n");
    }

    const cluster_stats& stats_;
    std::string label_;
    std::string text_;
};

} // namespace detail

/// The figures of a cluster in the text format that Prometheus reads, version 0.0.4: serve it as
/// `text/plain; version=0.0.4`. Workers are told by their slot, never by their pid, so that no
/// series dies with a worker. Follows
/// https://prometheus.io/docs/instrumenting/exposition_formats/
///
/// `name` is the value of the label `cluster`.
inline std::string prometheus_text(const cluster_stats& stats, std::string_view name = "workers")
{
    auto number = [](std::uint64_t value)
    {
        return std::to_string(value);
    };
    detail::prometheus_writer out(stats, name);
    out.one("brood_cluster_uptime_seconds", "gauge", "How long the cluster has run.",
            detail::seconds(stats.uptime));
    out.one("brood_cluster_slots", "gauge", "Workers that are wanted.",
            number(stats.workers.size()));
    out.one("brood_cluster_ready", "gauge", "Workers that can be given work.",
            number(stats.ready()));
    out.one("brood_cluster_starts_total", "counter", "Workers that were started.",
            number(stats.starts));
    out.one("brood_cluster_exits_total", "counter", "Workers that have ended.",
            number(stats.exits));
    out.one("brood_cluster_failures_total", "counter", "Ends that nobody wanted.",
            number(stats.failures));
    out.each("brood_worker_ready", "gauge", "Whether the worker can be given work.",
             [](auto& one) { return one.state == worker_state::ready ? "1" : "0"; });
    out.each("brood_worker_uptime_seconds", "gauge", "How long the worker has run.",
             [](auto& one) { return detail::seconds(one.uptime); });
    out.each("brood_worker_processor_seconds", "gauge", "Processor time of the worker.",
             [](auto& one) { return detail::seconds(one.processor_time); });
    out.each("brood_worker_resident_memory_bytes", "gauge", "Memory of the worker in RAM.",
             [&](auto& one) { return number(one.memory); });
    out.each("brood_worker_starts_total", "counter", "Workers that the slot has had.",
             [&](auto& one) { return number(one.starts); });
    out.each("brood_worker_failures_total", "counter", "Workers of the slot that failed.",
             [&](auto& one) { return number(one.failures); });
    out.each("brood_worker_connections", "gauge", "Connections that are open.",
             [&](auto& one) { return number(one.slot_traffic.open_connections); });
    out.each("brood_worker_accepted_connections_total", "counter", "Connections so far.",
             [&](auto& one) { return number(one.slot_traffic.connections); });
    out.each("brood_worker_requests_total", "counter", "Requests that were served.",
             [&](auto& one) { return number(one.slot_traffic.requests); });
    out.each("brood_worker_failed_requests_total", "counter", "Requests that the server failed.",
             [&](auto& one) { return number(one.slot_traffic.failed_requests); });
    out.each("brood_worker_received_bytes_total", "counter", "Bytes from clients.",
             [&](auto& one) { return number(one.slot_traffic.bytes_received); });
    out.each("brood_worker_sent_bytes_total", "counter", "Bytes to clients.",
             [&](auto& one) { return number(one.slot_traffic.bytes_sent); });
    return out.text();
}

} // namespace brood
