// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/cluster/presets.hpp>

#include <chrono>
#include <utility>

namespace brood::preset
{

BROOD_INLINE cluster_settings service(std::size_t size)
{
    cluster_settings result;
    result.size = size;
    return result;
}

BROOD_INLINE cluster_settings batch(std::size_t size)
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

BROOD_INLINE supervisor critical_tree(asio::any_io_executor executor)
{
    restart_policy policy;
    policy.per_slot = policy.per_cluster = {1, std::chrono::seconds(5)};
    return supervisor(std::move(executor), strategy::one_for_all, policy);
}

BROOD_INLINE supervisor critical_tree()
{
    return critical_tree(default_executor());
}

BROOD_INLINE cluster_settings dev(std::size_t size)
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
