// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/core/candidate.hpp>
#include <brood/cluster/detail/core/cluster_core.hpp>
#include <brood/cluster/rolling.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The order in which the workers of a cluster are replaced: one at a time, and the new one is
/// ready before the old one is asked to stop, so that there are never fewer than wanted. The next
/// one has its turn when the old one has ended: there is never more than one process more.
class rolling : public std::enable_shared_from_this<rolling>
{
public:
    explicit rolling(std::shared_ptr<cluster_core> over)
        : core_(std::move(over)), free_(core_->executor())
    {
    }

    /// Replaces all. The first new worker that fails ends it, and the old ones that are left go on.
    /// One at a time: a second reload begins when the first has ended. A launcher, if there is one,
    /// starts the new workers and, unless that fails, all later ones.
    static task<reload_report> reload(std::shared_ptr<rolling> self, reload_options options,
                                      worker_launcher launch = nullptr)
    {
        // Who waits may be cancelled: a new worker must not be forgotten then.
        auto report = std::make_shared<shared_result<reload_report>>(self->core_->executor());
        auto all = replace_all(self, options, std::move(launch), report);
        auto executor = self->core_->executor();
        asio::co_spawn(executor, std::move(all), asio::detached);
        auto result = co_await report->get();
        co_return result;
    }

    /// Adds workers, or takes some away, until there are so many. Waits until the new ones are
    /// ready or have failed, and the old ones have ended.
    static task<> scale(std::shared_ptr<rolling> self, std::size_t size, scale_down which)
    {
        auto turn = co_await take_turn(self);
        if (self->core_->stopping())
            co_return;
        std::vector<std::shared_ptr<slot>> touched;
        {
            // Workers that cannot be started may end the cluster, but not before all were tried.
            cluster_core::stay growing(self->core_);
            while (self->slots().size() < size && !self->core_->stopping())
                touched.push_back(self->core_->add());
        }
        for (auto& each : touched)
            co_await each->worker->ready.get();
        touched.clear();
        while (self->slots().size() > size)
        {
            touched.push_back(self->next_to_go(which));
            self->core_->remove(touched.back(), exit_cause::scaled_down);
        }
        for (auto& each : touched)
            co_await each->worker->ended.get();
    }

    /// Takes the slot of a worker away, and waits for the end of that.
    static task<exit_info> retire(std::shared_ptr<rolling> self, worker one)
    {
        auto turn = co_await take_turn(self);
        for (auto& each : self->slots())
            if (worker(each->worker) == one)
            {
                auto place = each;
                self->core_->remove(place, exit_cause::scaled_down);
                break;
            }
        auto ended = co_await one.exit();
        co_return ended;
    }

    /// Replaces workers that have lived long enough, one at a time, for as long as the cluster
    /// lives.
    static task<> recycle(std::shared_ptr<rolling> self)
    {
        while (!self->core_->stopping())
        {
            auto due = self->find_due();
            if (due)
            {
                auto turn = co_await take_turn(self);
                if (self->core_->has(due)) // nobody took it away meanwhile
                    co_await replace(self, due, exit_cause::recycled, {});
            }
            auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
            co_await self->core_->changed_or(until);
        }
    }

private:
    // Held while workers are being replaced.
    class holding
    {
    public:
        explicit holding(std::shared_ptr<rolling> by) : by_(std::move(by)) { by_->busy_ = true; }

        holding(holding&& other) noexcept = default;

        ~holding()
        {
            if (!by_)
                return;
            by_->busy_ = false;
            by_->free_.post_one();
        }

    private:
        std::shared_ptr<rolling> by_;
    };

    const std::vector<std::shared_ptr<slot>>& slots() const { return core_->slots(); }

    static task<holding> take_turn(std::shared_ptr<rolling> self)
    {
        while (self->busy_)
            co_await self->free_.wait();
        co_return holding(self);
    }

    static task<> replace_all(std::shared_ptr<rolling> self, reload_options options,
                              worker_launcher launch,
                              std::shared_ptr<shared_result<reload_report>> result)
    {
        auto turn = co_await take_turn(self);
        auto& core = *self->core_;
        if (!core.stopping())
            self->notify(&service_manager::reloading);
        worker_launcher before;
        if (launch)
            before = core.workers().launch_by(std::move(launch));
        reload_report report;
        report.stopped = core.stopping();
        auto place = self->first_from(0);
        for (; place && report.complete(); place = self->first_from(place->index + 1))
        {
            auto runs = place->kept; // else it was parked, and only gets another chance
            auto failed = co_await replace(self, place, exit_cause::replaced, options.settle);
            report.replaced += failed ? 0U : 1U;
            report.stopped = core.stopping();
            if (!report.stopped && runs)
                report.failure = failed;
        }
        if (before && !report.complete())
        {
            core.workers().launch_by(std::move(before));
            if (options.restore)
                report.restored = co_await restore(self, report.replaced);
        }
        if (!core.stopping())
            self->notify(&service_manager::ready);
        result->set(std::move(report));
    }

    // A manager that cannot be told does not keep workers from being replaced.
    void notify(void (service_manager::*what)() const) const
    {
        auto& manager = core_->settings().manager;
        try
        {
            if (manager)
                ((*manager).*what)();
        }
        catch (const std::system_error&)
        {
        }
    }

    // Replaces the first ones once more, and gives how many.
    static task<std::size_t> restore(std::shared_ptr<rolling> self, std::size_t count)
    {
        std::size_t restored = 0;
        auto place = self->first_from(0);
        for (; place && count != 0 && !self->core_->stopping(); --count)
        {
            auto failed = co_await replace(self, place, exit_cause::replaced, {});
            restored += failed ? 0U : 1U;
            place = self->first_from(place->index + 1);
        }
        co_return restored;
    }

    // Gives the end of the new worker when that failed; the old one goes on then.
    static task<std::optional<exit_info>> replace(std::shared_ptr<rolling> self,
                                                  std::shared_ptr<slot> before, exit_cause cause,
                                                  std::chrono::milliseconds settle)
    {
        auto& core = *self->core_;
        candidate fresh(self->core_, *before);
        auto lived = co_await lives(fresh.worker(), settle);
        if (lived && core.has(before) && !core.stopping())
        {
            fresh.take_place_of(before, cause);
            co_await before->worker->ended.get(); // or all old ones would drain beside the new ones
            co_return std::nullopt;
        }
        core.workers().stop(fresh.worker(), exit_cause::scaled_down);
        auto ended = co_await fresh.worker()->ended.get();
        core.tell(fresh.worker(), ended);
        co_return ended;
    }

    static task<bool> lives(std::shared_ptr<worker_core> worker, std::chrono::milliseconds settle)
    {
        auto ready = co_await worker->ready.get();
        if (!ready)
            co_return false;
        auto until = time_from_now(settle);
        auto ended = co_await worker->ended.get_until(until);
        co_return !ended;
    }

    // The place with that index, or the next behind it.
    std::shared_ptr<slot> first_from(std::size_t index) const
    {
        for (auto& each : slots())
            if (each->index >= index)
                return each;
        return nullptr;
    }

    std::shared_ptr<slot> next_to_go(scale_down which) const
    {
        auto rank = [&](const std::shared_ptr<slot>& each)
        {
            auto runs = !each->worker->has(worker_state::ended);
            auto id = each->worker->id;
            return std::pair(runs, which == scale_down::oldest ? id : ~id);
        };
        return *std::min_element(slots().begin(), slots().end(),
                                 [&](auto& left, auto& right) { return rank(left) < rank(right); });
    }

    std::shared_ptr<slot> find_due() const
    {
        for (auto& each : slots())
            if (is_due(*each->worker))
                return each;
        return nullptr;
    }

    bool is_due(const worker_core& worker) const
    {
        auto& limits = core_->settings().recycle;
        auto age = std::chrono::steady_clock::now() - worker.started;
        if (worker.state != worker_state::ready || age < limits.min_lifetime)
            return false;
        if (worker.wants_recycling)
            return true;
        if (limits.max_age.count() > 0 && age >= age_of(worker, limits))
            return true;
        return limits.max_memory != 0 &&
               process_activity::resident_memory(worker.process.pid()) > limits.max_memory;
    }

    static std::chrono::milliseconds age_of(const worker_core& worker, const recycling& limits)
    {
        auto age = static_cast<double>(limits.max_age.count());
        return std::chrono::milliseconds(static_cast<long long>(limits.varied(age, worker.id)));
    }

    std::shared_ptr<cluster_core> core_;
    bool busy_ = false;
    wait_queue free_;
};

} // namespace brood::detail
