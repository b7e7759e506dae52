// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/settings.hpp>
#include <brood/cluster/supervisor.hpp>

#include <chrono>
#include <cstddef>
#include <utility>

/// Settings that fit together, each for one kind of program; a place to begin from.
namespace brood::preset
{

/// A server that is to run for years: workers are always started again, after growing waits; more
/// than five failures of a slot in 30 s end the cluster; a loop that stands still for 10 s is
/// replaced; 30 s to finish. What cluster_settings has by default.
inline cluster_settings service(std::size_t size = 0)
{
    cluster_settings result;
    result.size = size;
    return result;
}

/// Work that comes to an end: a worker that returns is done, and so is the cluster with the last of
/// them; one that fails is started again, twice. Workers may compute for as long as they like.
inline cluster_settings batch(std::size_t size = 0)
{
    constexpr std::size_t attempts = 3;
    constexpr std::chrono::hours a_day(24);
    cluster_settings result;
    result.size = size;
    result.restart.when = restart::transient;
    result.restart.per_slot = {attempts - 1, a_day};
    result.restart.per_cluster = {result.workers() * attempts, a_day};
    result.watchdog.stale_after = std::chrono::milliseconds(0);
    return result;
}

/// Children that are of use together only: all are restarted with any of them, and a second failure
/// within 5 s ends them all, so that the one above decides.
inline supervisor critical_tree(asio::any_io_executor executor)
{
    restart_policy policy;
    policy.per_slot = policy.per_cluster = {1, std::chrono::seconds(5)};
    return supervisor(std::move(executor), strategy::one_for_all, policy);
}

inline supervisor critical_tree()
{
    return critical_tree(default_executor());
}

/// A program that is being written: one worker, whose lines say who printed them, in colours on a
/// terminal; 1 s to finish; never more than 2 s until it is started again, however often it fails.
/// For a restart when a file changes, see file_watch.
inline cluster_settings dev(std::size_t size = 1)
{
    cluster_settings result;
    result.size = size;
    result.restart.delay.cap = std::chrono::seconds(2);
    result.restart.per_slot.failures = result.restart.per_cluster.failures = 1'000'000;
    result.stop = drain_policy(std::chrono::seconds(1));
    result.output.where = worker_output::goes::printed;
    result.output.in_color = true;
    return result;
}

} // namespace brood::preset
