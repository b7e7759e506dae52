// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/core/hang_detector.hpp>
#include <brood/cluster/detail/core/process_activity.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace brood::detail
{

/// Waits until a worker that was ready hangs, and gives what it does then; nothing when it has
/// ended. While it loads its loop may stand still: the time to start has a limit of its own. One
/// that a debugger holds is spared, and that is told.
inline task<std::optional<std::string>> wait_for_hang(std::shared_ptr<worker_core> worker,
                                                      watchdog settings,
                                                      std::function<void(std::string)> spared)
{
    auto ready = co_await worker->ready.get();
    if (!ready)
        co_return std::nullopt;
    hang_detector detector(worker->process.pid(), settings);
    for (;;)
    {
        auto until = std::chrono::steady_clock::now() + detector.step();
        auto ended = co_await worker->ended.get_until(until);
        if (ended)
            co_return std::nullopt;
        auto what = detector.look(worker->signs);
        if (!what)
            continue;
        if (settings.busy && settings.busy(worker->id))
        {
            detector.spare();
            continue;
        }
        auto tracer = process_condition::of(worker->process.pid()).tracer;
        if (tracer == 0)
            co_return what;
        detector.spare();
        spared(*what + ", and process " + std::to_string(tracer) + " traces it");
    }
}

} // namespace brood::detail
