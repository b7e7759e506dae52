// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/stats.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace brood
{

/// How far a child of a supervisor is.
enum class child_state
{
    waiting,  ///< Does not run, and is to be started.
    starting, ///< Runs.
    ready,    ///< Runs, and can be given work.
    draining, ///< Was asked to end.
    ended,    ///< Has just ended, and the policy has not been asked.
    done,     ///< Has done its work, and is started again with others only.
    stopped,  ///< Was stopped by name, and waits to be started by name.
    parked,   ///< Is not started again, but by name.
};

/// "waiting", "starting", …
std::string to_string(child_state state);

/// A child of a supervisor at one moment, or one further down.
struct child_stats
{
    std::string name; ///< "web", "front/web"; "pool/2" in a cluster.
    child_state state = child_state::waiting;
    std::size_t starts = 0;             ///< How often it has been started.
    std::size_t failures = 0;           ///< How often it has ended as it should not.
    std::optional<worker_stats> worker; ///< Of the worker that it is; nothing for a whole cluster
                                        ///< or supervisor, and before its first start.
};

/// A supervisor at one moment: made by supervisor::stats(). Nothing is measured while nobody asks.
struct supervisor_stats
{
    std::chrono::milliseconds uptime{0}; ///< Since its last start.
    std::size_t starts = 0;              ///< Of workers, at any depth, from the beginning.
    std::size_t exits = 0;
    std::size_t failures = 0;          ///< Those exits that nobody wanted.
    std::vector<child_stats> children; ///< In their order, each before those inside it.

    /// How many workers there are, and how many of them can be given work.
    std::size_t workers() const noexcept;
    std::size_t ready() const noexcept;
};

/// A table for people: a line for each child, and one for all.
std::string to_string(const supervisor_stats& stats);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/supervisor_stats.ipp>
#endif
