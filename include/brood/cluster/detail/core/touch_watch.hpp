// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/core/touch_pace.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/process/launcher.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

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

/// Asks the workers elsewhere of one cluster again and again for a sign of life, each from when its
/// loop has run until it has ended or was found silent.
///
/// One timer serves all: those whose time comes soon are asked together, and so answer together.
/// Any byte is a sign. Before a worker is ready its loop may stand still, as it may when the
/// settings say that it is busy.
class touch_watch : public std::enable_shared_from_this<touch_watch>
{
public:
    using finding = std::function<void(const std::shared_ptr<worker_core>&, std::string)>;

    /// `silent` hears of a worker that has said nothing for too long, with a text of that.
    touch_watch(const asio::any_io_executor& executor, const cluster_settings& settings,
                finding silent)
        : settings_(settings.watchdog), by_(settings.spawn.launcher), silent_(std::move(silent)),
          timer_(executor)
    {
    }

    void begin(const std::shared_ptr<worker_core>& worker)
    {
        if (!worker->is_elsewhere)
            return;
        touch(worker);
        wake_up();
    }

    void end(worker_core& worker)
    {
        due_.erase({worker.touched.due, worker.id});
        if (!due_.empty())
            return;
        timer_.cancel();
        wakes_at_ = clock::time_point::max();
    }

private:
    using clock = std::chrono::steady_clock;

    // However many there are, the others on this loop wait for so few of them.
    static constexpr int most_of_a_turn = 64;

    void touch(const std::shared_ptr<worker_core>& worker)
    {
        auto pace = pace_of(settings_, by_->orphan_grace(), due_.size() + 1);
        send_control(*worker->process.link(), keep_in_touch_request{pace.grace.count()});
        worker->touched = {pace, clock::now() + pace.every};
        due_.emplace(std::pair(worker->touched.due, worker->id), worker);
    }

    void turn()
    {
        auto now = clock::now();
        for (int count = 0; count < most_of_a_turn && !due_.empty(); ++count)
        {
            auto first = due_.begin();
            if (first->first.first > now)
                break;
            auto worker = first->second;
            due_.erase(first);
            look_at(worker);
        }
        if (!due_.empty())
            wake_up();
    }

    void look_at(const std::shared_ptr<worker_core>& worker)
    {
        auto& [pace, due] = worker->touched;
        auto is_busy = settings_.busy && settings_.busy(worker->id);
        if (!worker->has(worker_state::ready) || is_busy)
            worker->not_heard.forgive();
        auto silent = worker->not_heard.turn(pace.every, worker->process.link()->heard());
        if (settings_.on() && silent >= pace.stale_after && !worker->has(worker_state::draining))
            silent_(worker, "nothing came from it for " + std::to_string(silent.count()) + " ms");
        else
            touch(worker);
    }

    // Not for each when many are asked: a little later for the first is in time for others.
    void wake_up()
    {
        auto& [key, first] = *due_.begin();
        auto now = clock::now();
        auto at = key.first <= now ? now : key.first + first->touched.pace.every / 8;
        if (at >= wakes_at_)
            return;
        wakes_at_ = at;
        timer_.expires_at(at);
        timer_.async_wait(
            [weak = weak_from_this()](std::error_code cancelled)
            {
                auto self = weak.lock();
                if (!self || cancelled)
                    return;
                self->wakes_at_ = clock::time_point::max();
                self->turn();
            });
    }

    watchdog settings_;
    std::shared_ptr<brood::launcher> by_;
    finding silent_;
    asio::steady_timer timer_;
    clock::time_point wakes_at_ = clock::time_point::max();
    std::map<std::pair<clock::time_point, std::uint64_t>, std::shared_ptr<worker_core>> due_;
};

/// One that tells whoever keeps the workers, for as long as he is there, whose loop stands still.
template <class Keeper>
std::shared_ptr<touch_watch> watch_touches(std::weak_ptr<Keeper> by,
                                           const asio::any_io_executor& executor,
                                           const cluster_settings& settings)
{
    auto tell = [by = std::move(by)](auto& worker, const std::string& why)
    {
        if (auto keeper = by.lock())
            keeper->end_hung(worker, why);
    };
    return std::make_shared<touch_watch>(executor, settings, std::move(tell));
}

} // namespace brood::detail
