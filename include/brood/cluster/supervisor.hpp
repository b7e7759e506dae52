// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/event.hpp>
#include <brood/cluster/listener.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/cluster/worker.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace brood::detail
{

/// Starts the process of a worker.
using worker_launcher = std::function<forked_process(const spawn_options&)>;

/// Keeps the workers of a cluster alive: one coroutine per slot.
///
///     start; await the exit; ask the policy; wait; again.
class supervisor : public std::enable_shared_from_this<supervisor>
{
public:
    supervisor(asio::any_io_executor executor, cluster_settings settings, worker_launcher launch)
        : executor_(std::move(executor)), settings_(std::move(settings)),
          launch_(std::move(launch)), ports_(executor_, settings_.dispatch),
          exits_(std::make_shared<event_queue<exit_info>>(executor_)), changed_(executor_)
    {
        settings_.check();
    }

    const cluster_settings& settings() const noexcept { return settings_; }

    // ---- What is kept

    /// Adds a slot and starts its first worker in this call, with these variables besides the
    /// usual ones. What cannot be started is an end like any other.
    std::shared_ptr<worker_record> add_slot(std::map<std::string, std::string> variables = {})
    {
        slots_.push_back(std::make_unique<slot>());
        auto& added = *slots_.back();
        added.index = slots_.size() - 1;
        added.variables = std::move(variables);
        auto first = start(added);
        ++running_;
        spawn(keep(shared_from_this(), &added));
        return first;
    }

    /// The workers that live, by slot.
    std::vector<std::shared_ptr<worker_record>> workers() const
    {
        std::vector<std::shared_ptr<worker_record>> result;
        for (auto& each : slots_)
            if (each->worker && !each->worker->has(worker_state::ended))
                result.push_back(each->worker);
        return result;
    }

    /// Every worker is stopped, and none is started again; waits for the last end.
    static task<> stop(std::shared_ptr<supervisor> self)
    {
        self->stopping_ = true;
        self->changed_.post_all();
        for (auto& each : self->slots_)
            if (each->worker)
                self->end(each->worker, exit_cause::stopped, true);
        while (self->running_ != 0)
            co_await self->changed_.wait();
    }

    /// The handle of the cluster has gone.
    void abandon()
    {
        if (running_ != 0)
            spawn(stop(shared_from_this()));
    }

    // ---- What is told

    std::shared_ptr<event_queue<cluster_event>> subscribe()
    {
        auto queue = std::make_shared<event_queue<cluster_event>>(executor_);
        if (has_ended())
            queue->end();
        listeners_.push_back(queue);
        return queue;
    }

    /// The next end of a worker; nothing when the cluster has ended. Throws why it failed.
    static task<std::optional<exit_info>> next_exit(std::shared_ptr<supervisor> self)
    {
        auto ended = co_await event_queue<exit_info>::next(self->exits_);
        if (!ended && self->failure_)
            std::rethrow_exception(self->failure_);
        co_return ended;
    }

private:
    struct slot
    {
        std::size_t index = 0;
        std::map<std::string, std::string> variables;
        std::shared_ptr<worker_record> worker;
        failure_history failures;
    };

    bool has_ended() const noexcept { return running_ == 0 && !slots_.empty(); }

    // ---- The life of a slot

    static task<> keep(std::shared_ptr<supervisor> self, slot* place)
    {
        for (bool again = true; again;)
        {
            auto ended = co_await place->worker->ended.get();
            auto next = self->decide(*place, ended);
            self->report(*place, ended, next.what);
            again = next.what == restart_decision::action::start;
            if (again)
                co_await self->pause(next.wait);
            again = again && !self->stopping_;
            if (again)
                self->start(*place);
        }
        self->leave();
    }

    restart_decision decide(slot& place, const exit_info& ended)
    {
        if (stopping_)
            return {restart_decision::action::leave, {}};
        auto random = std::uniform_real_distribution<double>(0, 1)(random_);
        return settings_.restart.decide(ended, place.failures, failures_,
                                        std::chrono::steady_clock::now(), random);
    }

    void report(slot& place, const exit_info& ended, restart_decision::action next)
    {
        exits_->push(ended);
        publish(cluster_event::kind::exit, place.worker, {}, ended);
        if (next == restart_decision::action::park || ended.cause == exit_cause::gave_up)
            publish(cluster_event::kind::parked, place.worker, {}, ended);
        if (next == restart_decision::action::fail)
            fail(ended);
    }

    // A stop is not kept waiting by it.
    task<> pause(std::chrono::milliseconds wait)
    {
        auto until = std::chrono::steady_clock::now() + wait;
        while (!stopping_ && std::chrono::steady_clock::now() < until)
        {
            try
            {
                co_await changed_.wait(until);
            }
            catch (const std::system_error& over)
            {
                if (over.code() != asio::error::timed_out)
                    throw;
            }
        }
    }

    void leave()
    {
        if (--running_ == 0)
        {
            ports_.close();
            exits_->end();
            for (auto& each : listeners_)
                if (auto listener = each.lock())
                    listener->end();
        }
        changed_.post_all();
    }

    void fail(const exit_info& last)
    {
        if (failure_)
            return;
        failure_ = std::make_exception_ptr(
            error(errc::too_many_failures,
                  "the cluster failed more often than its restart policy allows; the last was " +
                      to_string(last)));
        spawn(stop(shared_from_this()));
    }

    // ---- The life of a worker

    std::shared_ptr<worker_record> start(slot& place)
    {
        auto worker = std::make_shared<worker_record>(executor_, ++last_id_, place.index);
        place.worker = worker;
        try
        {
            auto options = settings_.spawn;
            if (!options.env)
                options.env.emplace();
            for (auto& [name, value] : place.variables)
                options.env->set(name, value);
            options.env->set(
                worker_variable,
                to_string(worker_identity{worker->id, static_cast<std::uint32_t>(worker->slot)}));
            worker->process = worker_process(launch_(options));
        }
        catch (const std::system_error& refused)
        {
            never_started(*worker, refused.what());
            return worker;
        }
        publish(cluster_event::kind::fork, worker);
        spawn(hear(shared_from_this(), worker));
        spawn(await_ready(shared_from_this(), worker));
        spawn(await_end(shared_from_this(), worker));
        return worker;
    }

    static void never_started(worker_record& worker, const char* why)
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

    // What a worker says. One that talks nonsense is broken: it has no channel any more.
    static task<> hear(std::shared_ptr<supervisor> self, std::shared_ptr<worker_record> worker)
    {
        auto from = worker->process.link();
        try
        {
            for (;;)
            {
                auto word =
                    co_await next_control<online_notice, ready_notice, listen_request,
                                          accepted_notice, closed_notice, give_up_notice>(from);
                if (!word)
                    break;
                std::visit([&](auto& said) { self->on(worker, said); }, *word);
            }
        }
        catch (const error& wrong)
        {
            worker->reason = wrong.text();
        }
        self->publish(cluster_event::kind::disconnect, worker);
    }

    void on(const std::shared_ptr<worker_record>& worker, const online_notice&)
    {
        if (worker->state == worker_state::starting)
            worker->state = worker_state::online;
        publish(cluster_event::kind::online, worker);
    }

    void on(const std::shared_ptr<worker_record>& worker, const ready_notice&)
    {
        if (worker->state < worker_state::ready)
            worker->state = worker_state::ready;
        if (!worker->ready.ready())
            publish(cluster_event::kind::ready, worker);
        worker->ready.set(true);
    }

    void on(const std::shared_ptr<worker_record>& worker, const listen_request& wanted)
    {
        ports_.open(worker, wanted);
        auto address = ports_.address_of(*worker, wanted.number);
        if (address.empty())
            return;
        worker->listening_at.push_back(address);
        publish(cluster_event::kind::listening, worker, address);
    }

    void on(const std::shared_ptr<worker_record>& worker, const accepted_notice& said)
    {
        ports_.accepted(*worker, said.number);
    }

    void on(const std::shared_ptr<worker_record>& worker, const closed_notice& said)
    {
        ports_.closed(*worker, said.number);
    }

    void on(const std::shared_ptr<worker_record>& worker, const give_up_notice& said)
    {
        worker->reason = said.reason;
        worker->cause = exit_cause::gave_up;
    }

    static task<> await_ready(std::shared_ptr<supervisor> self,
                              std::shared_ptr<worker_record> worker)
    {
        auto until = std::chrono::steady_clock::now() + self->settings_.start_within;
        auto ready = co_await worker->ready.get_until(until);
        if (!ready)
            self->end(worker, exit_cause::start_timeout, false);
    }

    static task<> await_end(std::shared_ptr<supervisor> self, std::shared_ptr<worker_record> worker)
    {
        auto status = co_await worker->process.exit();
        worker->state = worker_state::ended;
        self->ports_.forget(*worker);
        exit_info ended;
        ended.id = worker->id;
        ended.slot = worker->slot;
        ended.status = status;
        ended.cause =
            worker->cause.value_or(status.signal != 0 ? exit_cause::signalled : exit_cause::exited);
        ended.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - worker->started);
        ended.was_ready = worker->ready.peek().value_or(false);
        ended.reason = worker->reason;
        worker->ready.set(false);
        worker->ended.set(std::move(ended));
    }

    // Asks a worker to end, for a reason, and makes it.
    void end(const std::shared_ptr<worker_record>& worker, exit_cause cause, bool no_successor)
    {
        if (worker->state >= worker_state::draining)
            return;
        worker->state = worker_state::draining;
        if (!worker->cause)
            worker->cause = cause;
        drain_request request{no_successor};
        send_control(*worker->process.link(), request);
        spawn(walk_to_end(shared_from_this(), worker));
    }

    static task<> walk_to_end(std::shared_ptr<supervisor> self,
                              std::shared_ptr<worker_record> worker)
    {
        try
        {
            co_await worker->process.stop(self->settings_.stop);
        }
        catch (const error&)
        {
            worker->process.detach(); // not even the kernel can end it
        }
    }

    // ---- What is told

    void publish(cluster_event::kind what, const std::shared_ptr<worker_record>& worker,
                 std::string address = {}, std::optional<exit_info> ended = std::nullopt)
    {
        cluster_event event{what, brood::worker(worker), std::move(address), std::move(ended)};
        for (auto& each : listeners_)
            if (auto listener = each.lock())
                listener->push(event);
        std::erase_if(listeners_, [](auto& each) { return each.expired(); });
    }

    void spawn(task<> work)
    {
        auto executor = executor_;
        asio::co_spawn(executor, std::move(work), asio::detached);
    }

    asio::any_io_executor executor_;
    cluster_settings settings_;
    worker_launcher launch_;
    shared_ports ports_;
    std::vector<std::unique_ptr<slot>> slots_;
    failure_history failures_;
    std::shared_ptr<event_queue<exit_info>> exits_;
    std::vector<std::weak_ptr<event_queue<cluster_event>>> listeners_;
    std::minstd_rand random_{std::random_device{}()};
    wait_queue changed_;         // stopping, or one slot less
    std::exception_ptr failure_; // why the cluster ended
    std::uint64_t last_id_ = 0;
    std::size_t running_ = 0; // slots that are kept
    bool stopping_ = false;
};

} // namespace brood::detail
