// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/detail/core/worker_greeting.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/process/launcher.hpp>
#include <brood/wire/internal/control.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace brood::detail
{

/// Waits for a worker that its launcher does not start, as nobody knows when somebody else does: it
/// has come, or has ended. For any other at once.
inline task<> come_by_itself(std::shared_ptr<worker_core> worker,
                             std::shared_ptr<brood::launcher> by)
{
    constexpr std::chrono::seconds often(2);
    if (!by || by->capabilities().starts)
        co_return;
    while (!worker->ready.ready() && !worker->process.link()->may_hear_more())
        co_await worker->ready.get_until(std::chrono::steady_clock::now() + often);
}

/// Tells a worker elsewhere again and again that its primary is alive, until it has ended, which
/// gives nothing, or has said nothing for too long, which gives a text of that. Before it is ready
/// its loop may stand still, as it may when the settings say that it is busy.
inline task<std::optional<std::string>> keep_in_touch(std::shared_ptr<worker_core> worker,
                                                      watchdog settings)
{
    auto every = touch_interval(settings);
    for (;;)
    {
        auto& link = *worker->process.link();
        if (worker->is_online)
            send_control(link, alive_notice{});
        auto ended = co_await worker->ended.get_until(std::chrono::steady_clock::now() + every);
        if (ended)
            co_return std::nullopt;
        auto is_busy = settings.busy && settings.busy(worker->id);
        if (!worker->has(worker_state::ready) || is_busy)
            worker->not_heard.hear();
        auto silent = worker->not_heard.turn(every);
        if (settings.on() && silent >= settings.stale_after && !worker->has(worker_state::draining))
            co_return "nothing came from it for " + std::to_string(silent.count()) + " ms";
    }
}

} // namespace brood::detail
