// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/internal/random_fraction.hpp>
#include <brood/cluster/detail/core/end_process.hpp>
#include <brood/cluster/detail/core/event_queue.hpp>
#include <brood/cluster/detail/core/inbox.hpp>
#include <brood/cluster/detail/core/losses_excused.hpp>
#include <brood/cluster/detail/core/message_hub.hpp>
#include <brood/cluster/detail/core/slot.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/detail/core/worker_figures.hpp>
#include <brood/cluster/detail/core/workforce.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/cluster/stats.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/stop_urgency.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Keeps the workers of a cluster alive: one coroutine per slot.
///
///     start; await the exit; ask the policy; wait; again.
class cluster_core : public std::enable_shared_from_this<cluster_core>
{
public:
    cluster_core(asio::any_io_executor executor, cluster_settings settings, worker_launcher launch)
        : executor_(executor), settings_(std::move(settings)),
          workforce_(std::make_shared<workforce>(executor, settings_, std::move(launch))),
          exits_(std::make_shared<event_queue<exit_info>>(executor)), changed_(executor)
    {
        settings_.restart = with_losses_excused(std::move(settings_.restart), settings_.spawn);
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    const cluster_settings& settings() const noexcept { return settings_; }

    workforce& workers() noexcept { return *workforce_; }

    /// The places that are kept, by index; those between them were taken away.
    const std::vector<std::shared_ptr<slot>>& slots() const noexcept { return slots_; }

    /// Adds a place, and starts its first worker in this call. What cannot be started is an end
    /// like any other.
    std::shared_ptr<slot> add(std::map<std::string, std::string> variables = {})
    {
        if (stopping_)
            throw std::logic_error(
                "brood: a cluster that was stopped or has ended starts no worker");
        auto added = std::make_shared<slot>();
        auto next = first_gap();
        added->index = static_cast<std::size_t>(next - slots_.begin());
        added->variables = std::move(variables);
        added->worker = workforce_->start(added->index, added->variables);
        slots_.insert(next, added);
        begin(added);
        return added;
    }

    /// Whether it is one of the places now.
    bool has(const std::shared_ptr<slot>& place) const
    {
        return std::find(slots_.begin(), slots_.end(), place) != slots_.end();
    }

    /// Puts a place with a worker of its own where another is, whose worker is then ended.
    void replace(const std::shared_ptr<slot>& before, const std::shared_ptr<slot>& by,
                 exit_cause cause)
    {
        std::replace(slots_.begin(), slots_.end(), before, by);
        by->starts += before->starts;
        by->failed += before->failed;
        begin(by);
        retire(before, cause);
    }

    /// Takes a place away, and ends its worker.
    void remove(const std::shared_ptr<slot>& place, exit_cause cause)
    {
        std::erase(slots_, place);
        workforce_->vacate(place->index);
        retire(place, cause, settings_.dispatch.has_socket_for_each_slot());
    }

    /// An end that is told although no place was kept for the worker.
    void tell(const std::shared_ptr<worker_core>& worker, const exit_info& ended)
    {
        ++ended_;
        failed_ += ended.failed() ? 1U : 0U;
        ++worker->history->exits[static_cast<std::size_t>(ended.cause)];
        exits_->push(ended);
        workforce_->events().publish(cluster_event::kind::exit, worker, {}, ended);
    }

    bool stopping() const noexcept { return stopping_; }

    const std::exception_ptr& failure() const noexcept { return failure_; }

    /// What can be counted and measured now.
    cluster_stats stats() const
    {
        auto now = std::chrono::steady_clock::now();
        cluster_stats result;
        result.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_);
        result.starts = workforce_->started();
        result.exits = ended_;
        result.failures = failed_;
        workforce_->traffic().look();
        result.traffic = workforce_->traffic().of_all();
        result.ports = workforce_->port_figures();
        for (auto& place : slots_)
            result.workers.push_back(stats_of(*place, now));
        for (auto& each : workforce_->living())
            result.draining += each->state == worker_state::draining ? 1U : 0U;
        return result;
    }

    /// As long as one is there, the cluster has not ended.
    class stay
    {
    public:
        explicit stay(std::shared_ptr<cluster_core> in) noexcept : in_(std::move(in))
        {
            ++in_->running_;
        }

        stay(stay&&) noexcept = default;
        stay& operator=(stay&&) = delete;

        ~stay()
        {
            if (in_ && !in_->changed_.loop_has_ended())
                in_->place_ended();
        }

    private:
        std::shared_ptr<cluster_core> in_;
    };

    /// The messages of its workers, for who wants to take them.
    const std::shared_ptr<inbox>& messages()
    {
        if (inbox_)
            return inbox_;
        inbox_ = std::make_shared<inbox>(executor_);
        inbox_->attend(workforce_->events().subscribe());
        for (auto& each : workers_by_slot())
            inbox_->attend(each);
        return inbox_;
    }

    /// The same for all who want every message of some types.
    const std::shared_ptr<message_hub>& hub_of(const std::type_info& types)
    {
        auto& hub = message_hubs_[types];
        if (!hub)
            hub = std::make_shared<message_hub>(executor_, messages());
        return hub;
    }

    /// Those that live.
    std::vector<worker> workers_by_slot() const
    {
        std::vector<worker> result;
        for (auto& each : slots_)
            if (!each->worker->has(worker_state::ended))
                result.emplace_back(each->worker);
        return result;
    }

    /// Ends every worker, and starts none again; waits for the last end.
    static task<> stop(std::shared_ptr<cluster_core> self)
    {
        if (!std::exchange(self->stopping_, true))
            begin_hastening(self->executor_, self);
        self->workforce_->finish_ports();
        self->changed_.post_all();
        for (auto& each : self->workforce_->living())
            self->workforce_->stop(each, exit_cause::stopped, true);
        if (self->running_ == 0)
            self->end();
        while (self->running_ != 0)
            co_await self->changed_.wait();
    }

    /// The same by another policy, and faster than a stop that is under way.
    static task<> stop_by(std::shared_ptr<cluster_core> self, stop_policy how)
    {
        self->hasten(how);
        co_await stop(self);
    }

    /// The end of each worker comes faster.
    void hasten(const stop_policy& how)
    {
        for (auto& each : workforce_->living())
            workforce_->hasten(each, how);
    }

    /// Waits until every place that is kept has a worker that is ready; false when there is none.
    static task<bool> ready(std::shared_ptr<cluster_core> self)
    {
        while (auto worker = self->first_unready())
        {
            if (worker->has(worker_state::ended))
                co_await self->changed_.wait(); // its successor starts in a moment
            else
                co_await worker->ready.get();
        }
        co_return self->running_ != 0;
    }

    /// Ends the cluster when a function of the user that chooses workers throws.
    static task<> fail_with_ports(std::shared_ptr<cluster_core> self)
    {
        auto thrown = co_await self->workforce_->ports().failure();
        if (thrown)
            self->fail("the function of its dispatch policy threw", thrown);
    }

    /// The handle of the cluster has gone.
    void abandon() { asio::co_spawn(executor_, stop(shared_from_this()), asio::detached); }

    /// Waits until something has changed, or for a time.
    task<> changed_or(std::chrono::steady_clock::time_point until)
    {
        co_await changed_.wait_until(until);
    }

    void change() { changed_.post_all(); }

    /// The next end of a worker; nothing when the cluster has ended. Throws why it failed.
    static task<std::optional<exit_info>> next_exit(std::shared_ptr<cluster_core> self)
    {
        auto ended = co_await event_queue<exit_info>::next(self->exits_);
        if (!ended && self->failure_)
            std::rethrow_exception(self->failure_);
        co_return ended;
    }

private:
    // Where the place with the lowest index that is free belongs.
    std::vector<std::shared_ptr<slot>>::const_iterator first_gap() const
    {
        std::size_t index = 0;
        return std::find_if(slots_.begin(), slots_.end(),
                            [&](auto& each) { return each->index != index++; });
    }

    worker_stats stats_of(const slot& place, std::chrono::steady_clock::time_point now) const
    {
        auto one = figures_of(*workforce_, *place.worker, now);
        one.slot = place.index;
        one.starts = place.starts;
        one.failures = place.failed;
        return one;
    }

    std::shared_ptr<worker_core> first_unready() const
    {
        for (auto& place : slots_)
        {
            auto& worker = place->worker;
            auto ready = worker->ready.peek().value_or(false);
            if (place->kept && (!ready || worker->has(worker_state::ended)))
                return worker;
        }
        return nullptr;
    }

    void begin(const std::shared_ptr<slot>& place)
    {
        auto self = shared_from_this();
        asio::co_spawn(executor_, keep(self, place, stay(self)), asio::detached);
    }

    void retire(const std::shared_ptr<slot>& place, exit_cause cause, bool no_successor = false)
    {
        place->wanted = false;
        workforce_->stop(place->worker, cause, no_successor);
        changed_.post_all();
    }

    static task<> keep(std::shared_ptr<cluster_core> self, std::shared_ptr<slot> place, stay begun)
    {
        auto inside = std::move(begun);
        for (bool again = true; again;)
        {
            auto ended = co_await place->worker->ended.get();
            auto next = self->decide(*place, ended);
            self->report(*place, ended, next.what);
            if (next.what == restart_decision::action::start)
                co_await self->pause(*place, next.wait);
            again = next.what == restart_decision::action::start && self->wants(*place);
            if (again)
                self->restart(*place);
            self->change();
        }
        place->kept = false;
        if (self->has(place) && !self->stopping_)
            self->workforce_->vacate(place->index);
    }

    void place_ended()
    {
        // One that was scaled to nothing waits for more.
        if (--running_ == 0 && (stopping_ || !slots_.empty()))
            end();
        changed_.post_all();
    }

    bool wants(const slot& place) const noexcept { return place.wanted && !stopping_; }

    restart_decision decide(slot& place, const exit_info& ended)
    {
        if (!wants(place))
            return {restart_decision::action::leave, {}};
        try
        {
            return settings_.restart.decide(ended, place.failures, failures_,
                                            std::chrono::steady_clock::now(), random_fraction());
        }
        catch (...)
        {
            fail("the function of its restart policy threw", std::current_exception());
            return {restart_decision::action::leave, {}};
        }
    }

    void restart(slot& place)
    {
        ++place.starts;
        place.worker = workforce_->start(place.index, place.variables);
    }

    void report(slot& place, const exit_info& ended, restart_decision::action next)
    {
        place.failed += ended.failed() ? 1U : 0U;
        tell(place.worker, ended);
        if (next == restart_decision::action::park || settings_.restart.gives_up(ended))
            workforce_->events().publish(cluster_event::kind::parked, place.worker, {}, ended);
        if (next == restart_decision::action::fail)
            fail(ended);
    }

    // A stop is not kept waiting by it.
    task<> pause(const slot& place, std::chrono::milliseconds wait)
    {
        auto until = time_from_now(wait);
        while (wants(place) && std::chrono::steady_clock::now() < until)
            co_await changed_or(until);
    }

    void end()
    {
        stopping_ = true; // also when no worker is kept any more
        workforce_->close();
        exits_->end();
        if (failure_ && settings_.restart.on_limit == on_limit::exit)
            end_process(story_, settings_.restart.exit_code);
    }

    void fail(const exit_info& last)
    {
        auto story = "the cluster failed more often than its restart policy allows; the last was " +
                     to_string(last);
        if (!last.last_output.empty())
            story += "; it printed: " + last.last_output;
        auto thrown = std::make_exception_ptr(error(errc::too_many_failures, story));
        fail(std::move(story), thrown);
    }

    void fail(std::string story, std::exception_ptr thrown)
    {
        if (failure_)
            return;
        story_ = std::move(story);
        failure_ = std::move(thrown);
        abandon();
    }

    asio::any_io_executor executor_;
    cluster_settings settings_;
    std::shared_ptr<workforce> workforce_;
    std::vector<std::shared_ptr<slot>> slots_;
    std::shared_ptr<inbox> inbox_; // once a message is asked for
    std::map<std::type_index, std::shared_ptr<message_hub>> message_hubs_;
    failure_history failures_;
    std::shared_ptr<event_queue<exit_info>> exits_;
    wait_queue changed_;         // stopping, or other places
    std::string story_;          // why the cluster failed
    std::exception_ptr failure_; // the same
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::size_t ended_ = 0;   // workers, from the beginning
    std::size_t failed_ = 0;  // of those
    std::size_t running_ = 0; // places that are kept, retired ones too until their worker ends,
                              // and workers that may get one
    bool stopping_ = false;
};

} // namespace brood::detail
