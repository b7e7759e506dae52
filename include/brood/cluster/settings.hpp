// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/dispatch_policy.hpp>
#include <brood/cluster/restart_policy.hpp>
#include <brood/os/cpu.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/spawn_options.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace brood
{

/// How a worker is asked to end: close its channel and tell it to finish, 30 s later SIGTERM, 5 s
/// later SIGKILL, which has 5 s to work.
inline stop_policy drain_policy(std::chrono::milliseconds drain = std::chrono::seconds(30))
{
    constexpr std::chrono::milliseconds grace = std::chrono::seconds(5);
    return stop_policy(
        std::vector<stop_step>{{true, 0, drain}, {false, SIGTERM, grace}, {false, SIGKILL, grace}});
}

/// Everything one can ask of a cluster; each default is what most servers want.
struct cluster_settings
{
    /// How many workers; 0 for one per processor that this process may use.
    std::size_t size = 0;

    /// For cluster<program>: what the workers run.
    std::string program = {};
    arguments args = {};

    /// How each worker is started. A worker dies with its primary.
    spawn_options spawn = default_spawn();

    /// When it is started again.
    restart_policy restart = {};

    /// From its start to ready: one that takes longer is stopped, which counts as a failure.
    std::chrono::milliseconds start_within{60'000};

    /// How it ends.
    stop_policy stop = drain_policy();

    /// Which worker gets the next connection.
    dispatch_policy dispatch = {};

    /// The number of workers that this asks for.
    std::size_t workers() const { return size != 0 ? size : os::available_parallelism(); }

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const
    {
        restart.check();
        if (size > 100'000)
            throw std::invalid_argument("brood: cluster settings: size " + std::to_string(size) +
                                        " is no number of workers");
        if (start_within.count() <= 0)
            throw std::invalid_argument("brood: cluster settings: start_within must be above zero");
        dispatch.check();
    }

private:
    static spawn_options default_spawn()
    {
        spawn_options result;
        result.die_with_parent = true;
        return result;
    }
};

} // namespace brood
