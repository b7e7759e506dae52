// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/slurm_variables.hpp>
#include <brood/remote/node_list.hpp>
#include <brood/remote/slurm_allocation.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brood
{
namespace detail
{

/// A count for each node: one number is for all of them.
inline std::vector<std::size_t> counts_for(const environment& variables, const std::string& name,
                                           std::size_t nodes)
{
    auto text = variables.get(name);
    if (!text)
        return {};
    auto counts = expand_counts(*text);
    if (counts.size() == 1)
        counts.resize(nodes, counts.front());
    if (counts.size() != nodes)
        throw std::invalid_argument("brood: " + name + "=" + *text + " is for " +
                                    std::to_string(counts.size()) +
                                    " nodes, SLURM_JOB_NODELIST has " + std::to_string(nodes));
    return counts;
}

} // namespace detail

BROOD_INLINE std::size_t slurm_allocation::workers() const
{
    std::size_t sum = 0;
    for (auto& node : nodes)
        sum += node.tasks;
    return sum;
}

BROOD_INLINE std::optional<slurm_allocation> slurm_allocation::from(const environment& variables)
{
    auto job = variables.get("SLURM_JOB_ID");
    auto list = variables.get("SLURM_JOB_NODELIST");
    if (!job || job->empty() || !list || list->empty())
        return std::nullopt;
    slurm_allocation made;
    made.job = *job;
    if (auto per_task = variables.get("SLURM_CPUS_PER_TASK"); per_task && !per_task->empty())
        made.cpus_per_task = std::max<std::size_t>(1, expand_counts(*per_task).at(0));
    auto names = expand_nodes(*list);
    auto cpus = detail::counts_for(variables, "SLURM_JOB_CPUS_PER_NODE", names.size());
    if (cpus.empty())
        cpus = detail::counts_for(variables, "SLURM_CPUS_ON_NODE", names.size());
    // Slurm says one task per node where nobody has asked for any.
    std::vector<std::size_t> tasks;
    if (auto asked = variables.get("SLURM_NTASKS"); asked && !asked->empty())
        tasks = detail::counts_for(variables, "SLURM_TASKS_PER_NODE", names.size());
    for (std::size_t at = 0; at < names.size(); ++at)
    {
        auto of_node = cpus.empty() ? 1 : cpus[at];
        auto room = std::max<std::size_t>(1, of_node / made.cpus_per_task);
        made.nodes.push_back({std::move(names[at]), of_node, tasks.empty() ? room : tasks[at]});
    }
    return made;
}

BROOD_INLINE std::optional<slurm_allocation> slurm_allocation::parse(std::string_view printed)
{
    auto variables = environment::only();
    bool whole = false;
    while (!printed.empty())
    {
        auto line = printed.substr(0, printed.find('\n'));
        if (line.size() == printed.size())
            break; // its end is still to come
        printed.remove_prefix(line.size() + 1);
        auto equals = line.find('=');
        auto name = line.substr(0, equals);
        auto known =
            std::find(detail::slurm_variables.begin(), detail::slurm_variables.end(), name);
        if (known != detail::slurm_variables.end() && equals + 1 < line.size())
            variables.set(std::string(name), std::string(line.substr(equals + 1)));
        whole = whole || line == detail::end_of_slurm_variables;
    }
    return whole ? from(variables) : std::nullopt;
}

BROOD_INLINE std::string to_string(const slurm_allocation& allocation)
{
    auto workers = [](std::size_t count)
    {
        return std::to_string(count) + (count == 1 ? " worker" : " workers");
    };
    auto& nodes = allocation.nodes;
    auto same = std::all_of(nodes.begin(), nodes.end(),
                            [&](const slurm_node& node) { return node.tasks == nodes[0].tasks; });
    std::string text;
    for (auto& node : nodes)
        text +=
            (text.empty() ? "" : ", ") + node.name + (same ? "" : " with " + workers(node.tasks));
    if (same && !nodes.empty())
        text += " with " + workers(nodes[0].tasks) + (nodes.size() > 1 ? " each" : "");
    return "job " + allocation.job + ": " + text;
}

} // namespace brood
