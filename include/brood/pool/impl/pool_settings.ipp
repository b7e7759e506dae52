// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/call_board.hpp>
#include <brood/pool/pool_settings.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace brood
{

BROOD_INLINE pool_settings::pool_settings()
{
    output.where = worker_output::goes::printed;
    stop = drain_policy(std::chrono::hours(24 * 365));
}

BROOD_INLINE pool_settings::pool_settings(std::shared_ptr<brood::launcher> by) : pool_settings()
{
    spawn.launcher = std::move(by);
}

BROOD_INLINE void pool_settings::check() const
{
    cluster_settings::check();
    auto refuse = [](const std::string& why)
    {
        throw std::invalid_argument("brood: pool settings: " + why);
    };
    auto most = detail::call_board::most_places;
    if (in_flight > most / 2 || fetched_ahead > most / 2)
        refuse("in_flight and fetched_ahead are " + std::to_string(most / 2) + " at most");
    if (waiting == 0)
        refuse("one call at least must be able to wait for a worker");
    if (grace.count() < 0 || idle_after.count() <= 0)
        refuse("grace must not be negative, and idle_after above zero");
    if (size != 0 && min_size > size)
        refuse("min_size is above size");
    if (limits)
        limits->check();
}

} // namespace brood
