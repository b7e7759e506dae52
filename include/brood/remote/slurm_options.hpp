// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace brood
{

/// What is asked of Slurm: `slurm_options{.nodes = 4, .partition = "long"}`.
///
/// Inside of an allocation, that of sbatch or salloc, workers are started in it, and what describes
/// an allocation is not used. Elsewhere one is asked for, which is given back at the end. What is
/// left empty is as the administrators have set it.
struct slurm_options
{
    std::size_t nodes = 0; ///< How many machines; 0 for as many as the workers need, 1 at least.
    /// How many workers; 0 for whole nodes, and a worker for each cpus_per_task processors of them.
    std::size_t tasks = 0;
    std::size_t cpus_per_task = 1; ///< How many processors a worker has.

    std::string partition = {};  ///< The queue.
    std::string account = {};    ///< Who pays for it.
    std::string qos = {};        ///< Quality of service.
    std::string constraint = {}; ///< Features that nodes must have: "intel&gpu".
    std::string memory = {};     ///< Per node, "4G"; see --mem in salloc(1).
    std::string gpus = {};       ///< Per worker, "1" or "a100:2"; see --gpus-per-task in salloc(1).
    std::string job_name = {};   ///< Of the allocation; empty for the name of the program.

    /// The longest that the allocation is kept; whole minutes, as Slurm counts.
    std::optional<std::chrono::minutes> time = std::nullopt;

    /// How long may be waited for an allocation; without it, as long as it takes.
    std::optional<std::chrono::seconds> wait = std::nullopt;

    /// Which variables of this process workers find: "ALL", "NONE", or names between commas.
    std::string exported = "ALL";

    /// Whatever else, as salloc(1) and srun(1) take it; it stands behind what is said here, and of
    /// what is said twice Slurm takes the last.
    std::vector<std::string> allocation_options = {};
    std::vector<std::string> step_options = {};

    /// How many starts may be under way on a node at once.
    std::size_t starts_at_once = 16;

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const;

    friend bool operator==(const slurm_options&, const slurm_options&) = default;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/slurm_options.ipp>
#endif
