// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/environment.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brood
{

/// A machine of an allocation.
struct slurm_node
{
    std::string name;
    std::size_t cpus = 1;  ///< How many processors of it are allocated.
    std::size_t tasks = 1; ///< How many workers it takes.

    friend bool operator==(const slurm_node&, const slurm_node&) = default;
};

/// What Slurm has given us: a job, and processors on its nodes.
struct slurm_allocation
{
    std::string job; ///< Its number, as all commands of Slurm take it.
    std::vector<slurm_node> nodes = {};
    std::size_t cpus_per_task = 1; ///< How many processors a worker has.

    /// How many workers it has room for: on each node as many as tasks were asked for there, or
    /// else one for each cpus_per_task of its processors.
    std::size_t workers() const;

    /// The allocation that this process, or one with these variables, runs in: by SLURM_JOB_ID,
    /// SLURM_JOB_NODELIST, SLURM_JOB_CPUS_PER_NODE, SLURM_CPUS_PER_TASK, and SLURM_TASKS_PER_NODE
    /// where a number of tasks was asked for. Nothing outside of one. Throws std::invalid_argument
    /// for variables that Slurm does not write.
    static std::optional<slurm_allocation> from(const environment& variables);

    /// The same of what the command of salloc_command() prints; nothing before all of it has come.
    static std::optional<slurm_allocation> parse(std::string_view printed);

    friend bool operator==(const slurm_allocation&, const slurm_allocation&) = default;
};

/// "job 17: n1, n2, n3 with 8 workers each", or node by node when they differ.
std::string to_string(const slurm_allocation& allocation);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/slurm_allocation.ipp>
#endif
