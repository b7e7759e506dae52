// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/core/event_hub.hpp>
#include <brood/cluster/detail/core/hang_watch.hpp>
#include <brood/cluster/detail/core/oom_detector.hpp>
#include <brood/cluster/detail/core/readiness_watch.hpp>
#include <brood/cluster/detail/core/traffic_ledger.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/detail/core/worker_end.hpp>
#include <brood/cluster/detail/core/worker_options.hpp>
#include <brood/cluster/detail/ports/shared_ports.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/internal/worker_launcher.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/cluster/stats.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/vital_signs.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace brood::detail
{

/// The life of each worker: it is started, heard, watched, and seen to its end. Who is started, and
/// when, others decide.
class workforce : public std::enable_shared_from_this<workforce>
{
public:
    workforce(asio::any_io_executor executor, const cluster_settings& settings,
              worker_launcher launch, std::string name = {})
        : executor_(executor), name_(std::move(name)), settings_(settings),
          launch_(std::move(launch)), ready_when_(criterion_of(settings)),
          ports_(executor, settings.dispatch), events_(executor),
          output_(std::make_shared<output_hub>(executor, settings.output))
    {
    }

    event_hub& events() noexcept { return events_; }

    const shared_ports& ports() const noexcept { return ports_; }

    /// What the workers print, when the settings send it there.
    const std::shared_ptr<line_queue>& lines() const noexcept { return output_->lines(); }

    /// What they have served.
    traffic_ledger& traffic() noexcept { return traffic_; }

    /// What happened in a slot; it outlives the workers.
    const std::shared_ptr<slot_history>& history_of(std::size_t slot)
    {
        auto& history = histories_[slot];
        if (!history)
            history = std::make_shared<slot_history>();
        return history;
    }

    /// Figures of the TCP ports that are open.
    std::vector<port_stats> port_figures() const { return ports_.figures(); }

    /// How many workers it has started, or tried to.
    std::size_t started() const noexcept { return last_id_; }

    /// Those that have not ended, also those that have no place any more, or none yet.
    std::vector<std::shared_ptr<worker_core>> living() const
    {
        std::vector<std::shared_ptr<worker_core>> result;
        for (auto& [id, worker] : living_)
            result.push_back(worker);
        return result;
    }

    /// Changes what the next workers are started with, and gives what it was.
    worker_launcher launch_by(worker_launcher launch)
    {
        return std::exchange(launch_, std::move(launch));
    }

    /// Starts a worker, with these variables besides the usual ones. One that cannot be started has
    /// ended when this returns.
    std::shared_ptr<worker_core> start(std::size_t slot,
                                       const std::map<std::string, std::string>& variables)
    {
        auto worker = std::make_shared<worker_core>(executor_, ++last_id_, slot);
        worker->oom_kills = oom_.seen();
        worker->history = history_of(slot);
        try
        {
            worker->process =
                worker_process(launch_(worker_options(settings_, *worker, variables)));
        }
        catch (const std::system_error& refused)
        {
            end_before_start(*worker, refused.what());
            return worker;
        }
        worker->stop =
            later(worker, [](workforce& all, auto& one) { all.stop(one, exit_cause::stopped); });
        traffic_.open(worker);
        living_.emplace(worker->id, worker);
        // Not in this turn of the loop: whoever makes the cluster is to hear of its first workers.
        asio::post(executor_, [self = shared_from_this(), worker]
                   { self->events_.publish(cluster_event::kind::fork, worker); });
        read_output(settings_, *worker, output_, name_);
        if (worker->output && ready_when_.what() == readiness::kind::printing)
            worker->output->look_for(ready_when_.text(), later(worker, [](workforce& all, auto& one)
                                                               { all.mark_ready(one); }));
        spawn(hear(shared_from_this(), worker));
        spawn(watch_start(shared_from_this(), worker));
        spawn(watch_from_outside(shared_from_this(), worker));
        spawn(watch_end(shared_from_this(), worker));
        if (settings_.watchdog.on())
            spawn(watch(shared_from_this(), worker));
        return worker;
    }

    /// Asks a worker to end, for a reason, and makes it.
    void stop(const std::shared_ptr<worker_core>& worker, exit_cause cause,
              bool no_successor = false)
    {
        if (worker->has(worker_state::draining))
            return;
        worker->asked_to_end = std::chrono::steady_clock::now();
        send_control(*worker->process.link(), drain_request{no_successor});
        stop_by(worker, cause, settings_.stop);
    }

    /// Makes a worker end by a policy, whatever was asked of it before.
    void hasten(const std::shared_ptr<worker_core>& worker, const stop_policy& how)
    {
        if (!worker->has(worker_state::ended))
            stop_by(worker, exit_cause::stopped, how);
    }

    /// Nobody has this slot any more, or not soon.
    void vacate(std::size_t slot) { ports_.vacate(slot); }

    /// No worker will have a successor: what waits is for those that live, and nobody else comes.
    void finish_ports() { ports_.finish(); }

    /// The cluster has ended.
    void close()
    {
        ports_.close();
        events_.end();
        output_->close();
    }

private:
    // ---- What a worker says

    // One that talks nonsense is broken: it has no channel any more, and is ended.
    static task<> hear(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        try
        {
            for (;;)
            {
                auto word =
                    co_await next_control<online_notice, ready_notice, listen_request,
                                          accepted_notice, closed_notice, recycle_notice,
                                          give_up_notice, lost_notice>(worker->process.link());
                if (!word)
                    break;
                std::visit([&](auto& said) { self->on(worker, said); }, *word);
            }
        }
        catch (const error& wrong)
        {
            worker->process.link()->fail(wrong);
            worker->reason = wrong.text();
            worker->cause = worker->cause.value_or(exit_cause::unreachable);
        }
        worker->has_channel = false;
        self->ports_.forget(*worker); // no connection is for it any more
        self->events_.publish(cluster_event::kind::disconnect, worker);
        self->spawn(stop_the_unreachable(self, worker));
    }

    // A worker that closed its channel and lives on can be told nothing any more.
    static task<> stop_the_unreachable(std::shared_ptr<workforce> self,
                                       std::shared_ptr<worker_core> worker)
    {
        auto is_broken = worker->cause == exit_cause::unreachable;
        auto time = self->settings_.stop.steps().front().wait();
        auto until = is_broken ? std::chrono::steady_clock::now() : time_from_now(time);
        auto ended = co_await worker->ended.get_until(until);
        if (!ended)
            self->stop(worker, exit_cause::unreachable);
    }

    void on(const std::shared_ptr<worker_core>& worker, const online_notice&)
    {
        if (worker->is_online || worker->has(worker_state::draining))
            return;
        worker->is_online = true;
        if (!worker->has(worker_state::ready)) // as one that runs may be
            worker->state = worker_state::online;
        events_.publish(cluster_event::kind::online, worker);
        ask_for_signs(worker);
        limit_connections(*worker);
    }

    void on(const std::shared_ptr<worker_core>& worker, const ready_notice&)
    {
        if (ready_when_.what() == readiness::kind::automatic ||
            ready_when_.what() == readiness::kind::said)
            mark_ready(worker);
    }

    void mark_ready(const std::shared_ptr<worker_core>& worker)
    {
        if (worker->ready.ready() || worker->has(worker_state::draining))
            return;
        worker->state = worker_state::ready;
        worker->ready.set(true);
        worker->history->ready_times.add(since(worker->started));
        events_.publish(cluster_event::kind::ready, worker);
    }

    void on(const std::shared_ptr<worker_core>& worker, const listen_request& wanted)
    {
        ports_.open(worker, wanted);
        auto address = ports_.address_of(*worker, wanted.number);
        if (address.empty())
            return; // it could not be opened
        worker->listening_at.push_back(address);
        events_.publish(cluster_event::kind::listening, worker, address);
    }

    void on(const std::shared_ptr<worker_core>& worker, const accepted_notice& said)
    {
        ports_.accepted(*worker, said.number);
    }

    void on(const std::shared_ptr<worker_core>& worker, const lost_notice& said)
    {
        ports_.lost(*worker, said.number);
    }

    void on(const std::shared_ptr<worker_core>& worker, const closed_notice& said)
    {
        ports_.closed(*worker, said.number);
    }

    void on(const std::shared_ptr<worker_core>& worker, const recycle_notice&)
    {
        worker->wants_recycling = true;
    }

    void on(const std::shared_ptr<worker_core>& worker, const give_up_notice& said)
    {
        worker->reason = said.reason;
        if (!worker->cause)
            worker->cause = exit_cause::gave_up;
    }

    // ---- Ready, alive, hung

    static task<> watch_start(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        auto until = time_from_now(self->settings_.start_within);
        auto ready = co_await worker->ready.get_until(until);
        if (ready)
            co_return;
        if (worker->reason.empty())
            worker->reason = what_was_missing(self->ready_when_);
        self->stop(worker, exit_cause::start_timeout);
    }

    static task<> watch_from_outside(std::shared_ptr<workforce> self,
                                     std::shared_ptr<worker_core> worker)
    {
        auto ready = co_await watch_readiness(worker, self->ready_when_);
        if (ready)
            self->mark_ready(worker);
    }

    // Its beats wake it up: one that is not watched sleeps for as long as it is idle.
    void ask_for_signs(const std::shared_ptr<worker_core>& worker)
    {
        auto& watchdog = settings_.watchdog;
        vital_signs_request request{watchdog.on() ? watchdog.tick.count() : 0};
        try
        {
            worker->signs = vital_signs::make_file();
            send_control(*worker->process.link(), request, worker->signs.duplicate());
        }
        catch (const std::system_error& refused)
        {
            worker->reason = refused.what();
            stop(worker, exit_cause::start_failed);
        }
    }

    void limit_connections(const worker_core& worker)
    {
        auto& limits = settings_.recycle;
        if (limits.max_connections == 0)
            return;
        auto count = limits.varied(static_cast<double>(limits.max_connections), worker.id);
        send_control(*worker.process.link(),
                     recycle_request{static_cast<std::uint64_t>(std::max(count, 1.0))});
    }

    static task<> watch(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        auto spared = [self, worker](std::string why)
        {
            self->events_.publish(cluster_event::kind::spared, worker, std::move(why));
        };
        auto what = co_await wait_for_hang(worker, self->settings_.watchdog, spared);
        if (!what)
            co_return;
        worker->reason = *what;
        self->events_.publish(cluster_event::kind::hung, worker, *what);
        self->stop_by(worker, exit_cause::hung, self->settings_.watchdog.end);
    }

    // ---- The end

    static void end_before_start(worker_core& worker, const char* why)
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

    void stop_by(const std::shared_ptr<worker_core>& worker, exit_cause cause,
                 const stop_policy& policy)
    {
        worker->state = worker_state::draining;
        if (!worker->cause)
            worker->cause = cause;
        ++worker->stops_under_way;
        spawn(walk_to_end(shared_from_this(), worker, policy));
    }

    static task<> walk_to_end(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker,
                              stop_policy policy)
    {
        auto ended = co_await detail::walk_to_end(worker, policy);
        if (!ended && --worker->stops_under_way == 0)
            self->detach(*worker);
    }

    // It is no worker any more, although its process runs.
    void detach(worker_core& worker)
    {
        worker.process.detach();
        worker.reason = "asked to end as " + to_string(*worker.cause) +
                        (worker.reason.empty() ? "" : ": ") + worker.reason;
        worker.cause = exit_cause::unkillable;
        exit_status unknown;
        unknown.pid = worker.process.pid();
        conclude(worker, unknown);
    }

    static task<> watch_end(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        auto status = co_await worker->process.exit();
        if (!worker->ended.ready())
            self->conclude(*worker, status);
    }

    void conclude(worker_core& worker, const exit_status& status)
    {
        worker.state = worker_state::ended;
        living_.erase(worker.id);
        ports_.forget(worker);
        traffic_.close(worker);
        exit_info ended;
        ended.status = status;
        ended.id = worker.id;
        ended.slot = worker.slot;
        ended.cause = worker.cause ? *worker.cause : oom_.cause_of(status, worker.oom_kills);
        ended.uptime = since(worker.started);
        if (worker.asked_to_end)
            worker.history->drain_times.add(since(*worker.asked_to_end));
        auto returned = status.code == 0 && status.signal == 0 && !worker.cause;
        ended.was_ready =
            worker.ready.peek().value_or(false) || (returned && knows_nothing(worker, ready_when_));
        ended.reason = worker.reason;
        if (auto output = std::exchange(worker.output, nullptr))
            ended.last_output = output->finish();
        worker.ready.set(false);
        worker.ended.set(std::move(ended));
    }

    static std::chrono::milliseconds since(std::chrono::steady_clock::time_point start)
    {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - start);
    }

    // Does something with a worker, if it and we are still there.
    template <class Action>
    std::function<void()> later(const std::shared_ptr<worker_core>& worker, Action action)
    {
        return [self = weak_from_this(), weak = std::weak_ptr(worker), action]
        {
            auto all = self.lock();
            auto one = weak.lock();
            if (all && one)
                action(*all, one);
        };
    }

    void spawn(task<> work) { asio::co_spawn(executor_, std::move(work), asio::detached); }

    asio::any_io_executor executor_;
    const std::string name_; // of its worker, when there is only one
    const cluster_settings settings_;
    worker_launcher launch_;
    const readiness ready_when_;
    shared_ports ports_;
    event_hub events_;
    std::shared_ptr<output_hub> output_;
    traffic_ledger traffic_;
    oom_detector oom_;
    std::map<std::size_t, std::shared_ptr<slot_history>> histories_;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, std::shared_ptr<worker_core>> living_;
};

} // namespace brood::detail
