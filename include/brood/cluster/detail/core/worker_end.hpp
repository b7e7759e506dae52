// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/core/oom_detector.hpp>
#include <brood/cluster/detail/core/process_activity.hpp>
#include <brood/cluster/detail/core/readiness_watch.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/detail/output/output_reader.hpp>
#include <brood/process/launcher.hpp>
#include <brood/process/stop_policy.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

inline std::chrono::milliseconds since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 start);
}

/// One that could not be started has ended.
inline void end_before_start(worker_core& worker, const char* why)
{
    exit_info ended;
    ended.id = worker.id;
    ended.slot = worker.slot;
    ended.cause = exit_cause::start_failed;
    ended.reason = why;
    worker.state = worker_state::ended;
    worker.ready.set(false);
    worker.ended.set(std::move(ended));
}

/// How a worker ended whose process has, with what it printed last.
inline exit_info end_of(worker_core& worker, const exit_status& status, const readiness& how)
{
    exit_info ended;
    ended.status = status;
    ended.id = worker.id;
    ended.slot = worker.slot;
    ended.host = host_of(worker);
    ended.cause = worker.cause.value_or(exit_cause::exited);
    ended.uptime = since(worker.started);
    auto returned = status.code == 0 && status.signal == 0 && !worker.cause;
    ended.was_ready =
        worker.ready.peek().value_or(false) || (returned && knows_nothing(worker, how));
    ended.reason = worker.reason;
    if (auto output = std::exchange(worker.output, nullptr))
        ended.last_output = output->finish();
    return ended;
}

/// Whether it was elsewhere, nobody here wanted its end, and nobody knows how that came.
inline bool is_lost(const worker_core& worker, const exit_status& status)
{
    auto silent = !worker.cause || worker.cause == exit_cause::hung ||
                  worker.cause == exit_cause::unreachable;
    return worker.is_elsewhere && status.lost && silent;
}

/// Says so.
inline void tell_loss(exit_info& ended, const brood::launcher& by)
{
    ended.cause = exit_cause::lost;
    if (ended.reason.empty())
        ended.reason = ended.status.why;
    if (ended.reason.empty())
        ended.reason = by.name() + " does not say how it ended, nor did it say so itself";
}

/// The end of one whose process still runs.
inline exit_status unknown_end_of(const worker_core& worker)
{
    exit_status unknown;
    unknown.pid = worker.process.pid();
    return unknown;
}

/// Why it ended, when nobody here wanted that. What its kernel says of its memory is heard of no
/// worker elsewhere.
inline void find_cause(exit_info& ended, const worker_core& worker, const brood::launcher* by,
                       oom_detector& oom)
{
    auto& status = ended.status;
    if (is_lost(worker, status))
        tell_loss(ended, *by);
    else if (!worker.cause && !worker.is_elsewhere)
        ended.cause = oom.cause_of(status, worker.oom_kills);
    else if (!worker.cause)
        ended.cause = status.signal != 0 ? exit_cause::signalled : exit_cause::exited;
}

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
