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

namespace brood::detail
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

} // namespace brood::detail
