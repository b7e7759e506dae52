// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/stats.hpp>
#include <brood/cluster/supervisor_stats.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// The figures of a worker, and the labels that tell which one it is.
struct labelled_figures
{
    std::string labels;
    worker_stats figures;
};

/// Metrics as lines of text.
class prometheus_writer
{
public:
    /// The label of all, and the workers, whose metrics begin with a prefix.
    prometheus_writer(std::string label, std::string prefix, std::vector<labelled_figures> workers)
        : label_(std::move(label)), prefix_(std::move(prefix)), workers_(std::move(workers))
    {
    }

    void one(std::string_view name, std::string_view kind, std::string_view help,
             const std::string& value)
    {
        head(name, kind, help);
        line(name, label_, value);
    }

    // Without a line for a worker of which it is not known: an empty text.
    void each(std::string_view what, std::string_view kind, std::string_view help,
              const std::function<std::string(const worker_stats&)>& value)
    {
        auto name = prefix_ + std::string(what);
        head(name, kind, help);
        for (auto& worker : workers_)
            if (auto text = value(worker.figures); !text.empty())
                line(name, worker.labels, text);
    }

    void each_cause(std::string_view what, std::string_view help)
    {
        auto name = prefix_ + std::string(what);
        head(name, "counter", help);
        for (auto& worker : workers_)
            for (std::size_t index = 0; index < exit_cause_count; ++index)
            {
                auto cause = to_string(static_cast<exit_cause>(index));
                std::replace(cause.begin(), cause.end(), ' ', '_');
                line(name, worker.labels + ",cause=\"" + cause + '"',
                     std::to_string(worker.figures.history.exits[index]));
            }
    }

    // Of workers elsewhere. A label of its own series, so that no counter of a slot begins anew
    // when its next worker runs on another host.
    void each_host(std::string_view what, std::string_view help)
    {
        auto is_elsewhere = [](auto& worker)
        {
            return !worker.figures.host.empty();
        };
        if (std::none_of(workers_.begin(), workers_.end(), is_elsewhere))
            return;
        auto name = prefix_ + std::string(what);
        head(name, "gauge", help);
        for (auto& worker : workers_)
            if (is_elsewhere(worker))
                line(name, worker.labels + ",host=\"" + escaped_label(worker.figures.host) + '"',
                     "1");
    }

    void each_histogram(std::string_view what, std::string_view help,
                        duration_histogram slot_history::*which)
    {
        head(prefix_ + std::string(what), "histogram", help);
        for (auto& worker : workers_)
            classes(what, worker.labels, worker.figures.history.*which);
    }

    /// Of all together.
    void histogram(std::string_view what, std::string_view help, const duration_histogram& times)
    {
        head(prefix_ + std::string(what), "histogram", help);
        classes(what, label_, times);
    }

    /// Of each slot.
    template <class Figures>
    void each_slot(std::string_view what, std::string_view kind, std::string_view help,
                   const std::vector<Figures>& slots,
                   const std::function<std::uint64_t(const Figures&)>& value)
    {
        auto name = prefix_ + std::string(what);
        head(name, kind, help);
        for (auto& each : slots)
            line(name, label_ + ",slot=\"" + std::to_string(each.slot) + '"',
                 std::to_string(value(each)));
    }

    void each_port(std::string_view name, std::string_view help,
                   const std::vector<port_stats>& ports, std::size_t port_stats::*which)
    {
        head(name, "gauge", help);
        for (auto& port : ports)
            line(name, label_ + ",address=\"" + escaped_label(port.address) + '"',
                 std::to_string(port.*which));
    }

    // Of whole clusters and supervisors as well.
    void each_child(std::string_view what, std::string_view kind, std::string_view help,
                    const std::vector<child_stats>& children,
                    const std::function<std::size_t(const child_stats&)>& value)
    {
        auto name = prefix_ + std::string(what);
        head(name, kind, help);
        for (auto& child : children)
            line(name, label_ + ",child=\"" + escaped_label(child.name) + '"',
                 std::to_string(value(child)));
    }

    const std::string& text() const noexcept { return text_; }

private:
    void classes(std::string_view what, const std::string& labels, const duration_histogram& times)
    {
        auto name = prefix_ + std::string(what);
        for (std::size_t index = 0; index < times.bounds.size(); ++index)
            line(name + "_bucket", labels + ",le=\"" + shortened(times.bounds[index]) + '"',
                 std::to_string(times.up_to(index)));
        line(name + "_bucket", labels + ",le=\"+Inf\"", std::to_string(times.count()));
        line(name + "_sum", labels, seconds(times.sum()));
        line(name + "_count", labels, std::to_string(times.count()));
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

    std::string label_;
    std::string prefix_;
    std::vector<labelled_figures> workers_;
    std::string text_;
};

} // namespace brood::detail
