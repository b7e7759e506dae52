// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/process/launcher.hpp>
#include <brood/remote/placement.hpp>
#include <brood/remote/slurm_options.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace brood
{

/// How workers are started by Slurm.
struct slurm_settings
{
    /// Which worker goes to which node, and which node is set aside. How many starts are under way
    /// on a node at once, slurm_options::starts_at_once says.
    placement_options placement = {};

    /// The path of the program on the nodes; empty for the same as here.
    std::string program = {};

    /// Where the program is sent to on each node, by sbcast, before the first worker starts:
    /// "/tmp/fib". Slurm does not take it away again. Empty where nodes have it already, on a
    /// shared path say.
    std::string sent_to = {};

    /// Addresses of this machine that workers connect to, as the nodes reach them. Empty for that
    /// of its name. One outside a private network is refused until `encrypt` is said.
    std::vector<std::string> listen_on = {};

    /// Whether what crosses is encrypted by TLS 1.3, as command_options::encrypt says. Without a
    /// word it is not, as with MPI: the network of a cluster is its own.
    std::optional<bool> encrypt = {};

    /// A worker that has not come by then never will.
    std::chrono::milliseconds join_within{60'000};

    /// How long a worker goes on that has not heard of this process, or whose srun has ended.
    std::chrono::milliseconds orphan_grace{10'000};
};

/// Starts workers by Slurm, each as a step of its own:
/// `brood::pool<fib> pool(brood::slurm({.nodes = 4}))` has one per processor of four nodes.
///
/// In an allocation, that of sbatch or salloc, its nodes are used. Elsewhere one is asked for: this
/// blocks until it is granted, or until slurm_options::wait has passed; it is given back when the
/// launcher and its workers have gone, and also when this process ends in any way. Throws
/// std::invalid_argument for options that cannot be meant, spawn_error when Slurm is not installed,
/// and std::runtime_error, with what Slurm said and the cure, when it gives no allocation.
std::shared_ptr<launcher> slurm(const slurm_options& options, const slurm_settings& settings = {});

/// The same without blocking: the loop goes on while Slurm lets this wait for an allocation.
/// Cancelled, it takes the request back. Throws as slurm().
task<std::shared_ptr<launcher>> slurm_granted(slurm_options options, slurm_settings settings);

/// The same as it is done by default.
task<std::shared_ptr<launcher>> slurm_granted(slurm_options options);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/slurm.ipp>
#endif
