// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/core/event_hub.hpp>
#include <brood/cluster/detail/core/hang_watch.hpp>
#include <brood/cluster/detail/core/introduction.hpp>
#include <brood/cluster/detail/core/notice_socket.hpp>
#include <brood/cluster/detail/core/oom_detector.hpp>
#include <brood/cluster/detail/core/readiness_watch.hpp>
#include <brood/cluster/detail/core/touch_watch.hpp>
#include <brood/cluster/detail/core/traffic_ledger.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/detail/core/worker_end.hpp>
#include <brood/cluster/detail/core/worker_greeting.hpp>
#include <brood/cluster/detail/core/worker_options.hpp>
#include <brood/cluster/detail/ports/shared_ports.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/internal/worker_launcher.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/cluster/stats.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>

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
        worker->is_elsewhere = settings_.spawn.launcher != nullptr;
        worker->history = history_of(slot);
        try
        {
            if (ready_when_.what() == readiness::kind::notified)
                worker->notices = std::make_shared<notice_socket>(executor_);
            worker->process =
                worker_process(launch_(worker_options(settings_, *worker, variables)));
        }
        catch (const std::system_error& refused)
        {
            worker->notices = nullptr;
            end_before_start(*worker, refused.what());
            return worker;
        }
        auto keeper = weak_from_this();
        worker->stop = later(keeper, worker,
                             [](workforce& all, auto& one) { all.stop(one, exit_cause::stopped); });
        worker->hasten =
            later(keeper, worker,
                  [](workforce& all, auto& one, const stop_policy& how) { all.hasten(one, how); });
        traffic_.open(worker);
        living_.emplace(worker->id, worker);
        // Not in this turn of the loop: whoever makes the cluster is to hear of its first workers.
        asio::post(executor_, [self = shared_from_this(), worker]
                   { self->events_.publish(cluster_event::kind::fork, worker); });
        read_output(settings_, worker, output_, name_);
        if (worker->output && ready_when_.what() == readiness::kind::printing)
            worker->output->look_for(
                ready_when_.text(),
                later(keeper, worker, [](workforce& all, auto& one) { all.mark_ready(one); }));
        spawn(hear(shared_from_this(), worker));
        spawn(watch_start(shared_from_this(), worker));
        spawn(watch_from_outside(shared_from_this(), worker));
        if (worker->notices)
            spawn(hear_notices(shared_from_this(), worker));
        spawn(watch_end(shared_from_this(), worker));
        if (!worker->is_elsewhere && settings_.watchdog.on())
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

    /// Who finds the workers that others want to speak with.
    void introduce_by(introducer introduce) { introduce_ = std::move(introduce); }

    /// The loop of a worker stands still.
    void end_hung(const std::shared_ptr<worker_core>& worker, const std::string& why)
    {
        worker->reason = why;
        events_.publish(cluster_event::kind::hung, worker, why);
        stop_by(worker, exit_cause::hung, settings_.watchdog.end);
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
                auto word = co_await next_control<online_notice, ready_notice, listen_request,
                                                  accepted_notice, closed_notice, recycle_notice,
                                                  give_up_notice, lost_notice, alive_notice,
                                                  listening_notice, peer_request, peer_door>(
                    worker->process.link());
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
        auto time =
            is_broken ? std::chrono::milliseconds(0) : self->settings_.stop.steps().front().wait();
        auto ended = co_await worker->ended.get_until(time_from_now(time));
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
        try
        {
            greet(*worker, settings_);
            touches().begin(worker);
        }
        catch (const std::system_error& refused)
        {
            worker->reason = refused.what();
            stop(worker, exit_cause::start_failed);
        }
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
        if (!address.empty()) // it could be opened
            tell_listening(worker, address);
    }

    // At a port of another machine: of those here the primary knows more.
    void on(const std::shared_ptr<worker_core>& worker, const listening_notice& said)
    {
        if (worker->is_elsewhere)
            tell_listening(worker, said.address);
    }

    void tell_listening(const std::shared_ptr<worker_core>& worker, const std::string& address)
    {
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

    void on(const std::shared_ptr<worker_core>&, const alive_notice&) {} // its bytes have counted
    void on(const std::shared_ptr<worker_core>& worker, const recycle_notice& said)
    {
        if (said.at_once)
            return stop(worker, exit_cause::recycled);
        worker->wants_recycling = true;
    }

    void on(const std::shared_ptr<worker_core>& worker, const give_up_notice& said)
    {
        worker->reason = said.reason;
        worker->cause = worker->cause.value_or(exit_cause::gave_up);
    }

    void on(const std::shared_ptr<worker_core>& worker, const peer_word& said)
    {
        introduce_(worker, said);
    }

    // ---- Ready, alive, hung

    static task<> watch_start(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        co_await come_by_itself(worker, self->settings_.spawn.launcher);
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

    static task<> hear_notices(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        auto from = worker->notices;
        for (;;)
        {
            auto ready = co_await notice_socket::next_ready(from, worker->process.pid());
            if (!ready)
                co_return;
            self->mark_ready(worker);
        }
    }

    static task<> watch(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        auto spared = [self, worker](std::string why)
        {
            self->events_.publish(cluster_event::kind::spared, worker, std::move(why));
        };
        auto what = co_await wait_for_hang(worker, self->settings_.watchdog, spared);
        if (what)
            self->end_hung(worker, *what);
    }

    touch_watch& touches()
    {
        if (!touches_)
            touches_ = watch_touches(weak_from_this(), executor_, settings_);
        return *touches_;
    }

    // ---- The end

    void stop_by(const std::shared_ptr<worker_core>& worker, exit_cause cause,
                 const stop_policy& policy)
    {
        worker->state = worker_state::draining;
        worker->cause = worker->cause.value_or(cause);
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
        conclude(worker, unknown_end_of(worker));
    }

    static task<> watch_end(std::shared_ptr<workforce> self, std::shared_ptr<worker_core> worker)
    {
        auto status = co_await worker->process.exit();
        self->events_.publish_host(worker, status.host_set_aside);
        if (!worker->ended.ready())
            self->conclude(*worker, status);
    }

    void conclude(worker_core& worker, const exit_status& status)
    {
        worker.state = worker_state::ended;
        living_.erase(worker.id);
        if (auto notices = std::exchange(worker.notices, nullptr))
            notices->close();
        ports_.forget(worker);
        touches().end(worker);
        traffic_.close(worker);
        if (worker.asked_to_end)
            worker.history->drain_times.add(since(*worker.asked_to_end));
        auto ended = end_of(worker, status, ready_when_);
        find_cause(ended, worker, settings_.spawn.launcher.get(), oom_);
        worker.ready.set(false);
        worker.ended.set(std::move(ended));
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
    std::shared_ptr<touch_watch> touches_; // once it is needed
    traffic_ledger traffic_;
    oom_detector oom_;
    std::map<std::size_t, std::shared_ptr<slot_history>> histories_;
    introducer introduce_ = &refuse_lone_worker;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, std::shared_ptr<worker_core>> living_;
};

} // namespace brood::detail
