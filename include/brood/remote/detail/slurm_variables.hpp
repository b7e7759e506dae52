// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <array>
#include <string_view>

namespace brood::detail
{

/// What tells of an allocation; the command of our own salloc prints these, and then the last line.
inline constexpr std::array<std::string_view, 7> slurm_variables{
    "SLURM_JOB_ID",        "SLURM_JOB_NODELIST", "SLURM_JOB_CPUS_PER_NODE", "SLURM_CPUS_ON_NODE",
    "SLURM_CPUS_PER_TASK", "SLURM_NTASKS",       "SLURM_TASKS_PER_NODE"};

inline constexpr std::string_view end_of_slurm_variables = "brood: this is the allocation";

} // namespace brood::detail
