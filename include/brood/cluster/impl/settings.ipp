// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/random_fraction.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/os/cpu.hpp>
#include <brood/process/launcher.hpp>

#include <csignal>
#include <stdexcept>
#include <vector>

namespace brood
{

BROOD_INLINE stop_policy drain_policy(std::chrono::milliseconds drain)
{
    constexpr std::chrono::milliseconds grace = std::chrono::seconds(5);
    return stop_policy(std::vector<stop_step>{stop_step::disconnect(drain),
                                              stop_step::signal(SIGTERM, grace),
                                              stop_step::kill_tree(grace)});
}

BROOD_INLINE stop_policy watchdog::default_end()
{
    return stop_policy(std::vector<stop_step>{stop_step::signal(SIGABRT, std::chrono::seconds(2)),
                                              stop_step::kill_tree(std::chrono::seconds(5))});
}

BROOD_INLINE void watchdog::check() const
{
    if (tick.count() <= 0 || stale_after.count() < 0 || (on() && stale_after < tick * 2))
        throw std::invalid_argument("brood: cluster settings: a watchdog needs a tick above "
                                    "zero, and stale_after of two ticks at least, or zero");
}

BROOD_INLINE double recycling::varied(double limit, std::uint64_t worker) const
{
    return limit * (1 + jitter * (2 * detail::random_fraction_of(worker) - 1));
}

BROOD_INLINE void recycling::check() const
{
    if (max_age.count() < 0 || min_lifetime.count() < 0 || !(jitter >= 0 && jitter <= 1))
        throw std::invalid_argument("brood: cluster settings: recycling needs times not below "
                                    "zero, and a jitter between 0 and 1");
}

BROOD_INLINE std::size_t cluster_settings::workers() const
{
    auto elsewhere = spawn.launcher ? spawn.launcher->workers() : 0;
    auto by_itself = elsewhere != 0 ? elsewhere : os::available_parallelism();
    return size != 0 ? size : by_itself;
}

BROOD_INLINE void cluster_settings::check() const
{
    restart.check();
    if (size > 100'000)
        throw std::invalid_argument("brood: cluster settings: size " + std::to_string(size) +
                                    " is no number of workers");
    if (start_within.count() <= 0)
        throw std::invalid_argument("brood: cluster settings: start_within must be above zero");
    if (ready_when.what() == readiness::kind::printing && !output.on())
        throw std::invalid_argument(
            "brood: cluster settings: to be ready when it prints something, "
            "what a worker prints must be read or printed");
    if (spawn.launcher && ready_when.what() == readiness::kind::notified)
        throw std::invalid_argument("brood: cluster settings: workers of " +
                                    spawn.launcher->name() +
                                    " cannot reach NOTIFY_SOCKET; use another readiness");
    if (spawn.launcher && dispatch.hands_over() && !spawn.launcher->capabilities().descriptors)
        throw std::invalid_argument(
            "brood: cluster settings: connections that this process accepts cannot be handed to "
            "workers of " +
            spawn.launcher->name() +
            "; use dispatch_policy::shared(), with which each listens on its own host");
    dispatch.check();
    watchdog.check();
    recycle.check();
    output.check();
}

BROOD_INLINE spawn_options cluster_settings::default_spawn()
{
    spawn_options result;
    result.die_with_parent = true;
    result.group = process_group::own();
    return result;
}

BROOD_INLINE cluster_settings settings_for(std::shared_ptr<launcher> by)
{
    cluster_settings result;
    result.spawn.launcher = std::move(by);
    return result;
}

} // namespace brood
