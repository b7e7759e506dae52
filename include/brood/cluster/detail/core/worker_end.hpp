// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/core/process_activity.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/process/stop_policy.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace brood::detail
{

// What is asked by the channel alone reaches nobody who has none, and not yet one that is not
// ready: nobody is connected to that.
inline std::vector<stop_step> steps_that_reach(const worker_core& worker, const stop_policy& policy)
{
    auto steps = policy.steps();
    if (!worker.has_channel || !worker.is_online || !worker.ready.ready())
        std::erase_if(steps, [](auto& each) { return each.number() == 0; });
    return steps.empty() ? policy.steps() : steps;
}

inline task<bool> take_step(std::shared_ptr<worker_core> worker, stop_step step)
{
    try
    {
        stop_policy alone(std::vector<stop_step>(1, step));
        co_await worker->process.stop(alone);
        co_return true;
    }
    catch (const error&)
    {
        co_return false;
    }
}

// SIGKILL would cut its core off.
inline task<> let_dump(std::shared_ptr<worker_core> worker)
{
    constexpr std::chrono::seconds longest(60);
    auto until = time_from_now(longest);
    while (!worker->ended.ready() && std::chrono::steady_clock::now() < until &&
           process_condition::of(worker->process.pid()).dumps_core)
        co_await sleep(std::chrono::milliseconds(100));
}

/// Ends a worker; false when it has outlived every step.
inline task<bool> walk_to_end(std::shared_ptr<worker_core> worker, stop_policy policy)
{
    auto steps = steps_that_reach(*worker, policy);
    for (auto& step : steps)
    {
        auto ended = co_await take_step(worker, step);
        if (ended)
            co_return true;
        co_await let_dump(worker);
    }
    co_return worker->ended.ready();
}

} // namespace brood::detail
