// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/stats.hpp>

#include <algorithm>
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

    // Without a line for a worker of which it is not known: an empty text.
    void each(std::string_view name, std::string_view kind, std::string_view help,
              const std::function<std::string(const worker_stats&)>& value)
    {
        head(name, kind, help);
        for (auto& worker : stats_.workers)
            if (auto text = value(worker); !text.empty())
                line(name, labels_of(worker), text);
    }

    void each_cause(std::string_view name, std::string_view help)
    {
        head(name, "counter", help);
        for (auto& worker : stats_.workers)
            for (std::size_t index = 0; index < exit_cause_count; ++index)
            {
                auto cause = to_string(static_cast<exit_cause>(index));
                std::replace(cause.begin(), cause.end(), ' ', '_');
                line(name, labels_of(worker) + ",cause=\"" + cause + '"',
                     std::to_string(worker.history.exits[index]));
            }
    }

    void each_histogram(std::string_view name, std::string_view help,
                        duration_histogram slot_history::*which)
    {
        head(name, "histogram", help);
        auto buckets = std::string(name) + "_bucket";
        for (auto& worker : stats_.workers)
        {
            auto& times = worker.history.*which;
            auto labels = labels_of(worker);
            for (std::size_t index = 0; index < times.bounds.size(); ++index)
                line(buckets, labels + ",le=\"" + shortened(times.bounds[index]) + '"',
                     std::to_string(times.up_to(index)));
            line(buckets, labels + ",le=\"+Inf\"", std::to_string(times.count()));
            line(std::string(name) + "_sum", labels, seconds(times.sum()));
            line(std::string(name) + "_count", labels, std::to_string(times.count()));
        }
    }

    void each_port(std::string_view name, std::string_view help, std::size_t port_stats::*which)
    {
        head(name, "gauge", help);
        for (auto& port : stats_.ports)
            line(name, label_ + ",address=\"" + escaped_label(port.address) + '"',
                 std::to_string(port.*which));
    }

    const std::string& text() const noexcept { return text_; }

private:
    std::string labels_of(const worker_stats& worker) const
    {
        return label_ + ",slot=\"" + std::to_string(worker.slot) + '"';
    }

    // A bound is a name as well: "0.25" and "10", whatever is added to it.
    static std::string shortened(std::chrono::milliseconds time)
    {
        auto text = seconds(time);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.')
            text.pop_back();
        return text;
    }

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

inline std::string digits(std::uint64_t value)
{
    return std::to_string(value);
}

inline void write_cluster(prometheus_writer& out, const cluster_stats& stats)
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

inline void write_workers(prometheus_writer& out)
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

inline void write_slots(prometheus_writer& out)
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

inline void write_traffic(prometheus_writer& out)
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

/// The figures of a cluster in the text format that Prometheus reads, version 0.0.4: serve it as
/// `text/plain; version=0.0.4`. Workers are told by their slot, never by their pid, so that no
/// series dies with a worker; why they ended is the label `cause`, and a port `address`. Follows
/// https://prometheus.io/docs/instrumenting/exposition_formats/
///
/// `name` is the value of the label `cluster`.
inline std::string prometheus_text(const cluster_stats& stats, std::string_view name = "workers")
{
    detail::prometheus_writer out(stats, name);
    detail::write_cluster(out, stats);
    detail::write_workers(out);
    detail::write_slots(out);
    detail::write_traffic(out);
    return out.text();
}

} // namespace brood
