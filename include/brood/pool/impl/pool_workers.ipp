// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/exception_text.hpp>
#include <brood/pool/detail/nesting.hpp>
#include <brood/pool/detail/pool_core.hpp>
#include <brood/pool/internal/pool_call.hpp>
#include <brood/pool/worker_lost.hpp>

#include <csignal>

// The workers of a pool: their starts, their ends, and who is to blame for those.

namespace brood::detail
{

BROOD_INLINE void pool_core::start()
{
    if (cluster_ || closed_)
        return;
    cluster_settings settings = settings_;
    auto nested = nesting::of_this_process(settings.workers());
    auto by_itself = settings.spawn.launcher ? settings.workers() : nested.share();
    most_workers_ = settings.size != 0 ? settings.size : by_itself;
    if (!settings.spawn.env)
        settings.spawn.env.emplace();
    settings.spawn.env->set(nesting::variable, nested.below(most_workers_).to_string());
    settings.size = most_workers_;
    if (settings_.when == pool_settings::start::when_needed)
        settings.size = 1;
    else if (settings_.min_size != 0)
        settings.size = std::min(settings_.min_size, most_workers_);
    auto weak = weak_from_this();
    settings.restart.excused = [weak, also = settings.restart.excused](const exit_info& ended)
    {
        auto self = weak.lock();
        return (self && self->excuses(ended)) || (also && also(ended));
    };
    if (!function_.is_coroutine)
        settings.watchdog.busy = [weak](std::uint64_t id)
        {
            auto self = weak.lock();
            auto found = self ? self->workers_.find(id) : decltype(self->workers_.end())();
            return self && found != self->workers_.end() && found->second->is_busy();
        };
    cluster_.emplace(executor_, settings,
                     [weak](const spawn_options& options) { return weak.lock()->launch(options); });
    auto self = shared_from_this();
    asio::co_spawn(executor_, watch(self, cluster_->events()), asio::detached);
    if (settings_.min_size != 0)
        asio::co_spawn(executor_, shrink(self), asio::detached);
}

BROOD_INLINE forked_process pool_core::launch(const spawn_options& options)
{
    auto child = function_.launch(options);
    // Without a board, which one elsewhere cannot share, whatever it was given may have begun.
    auto is_elsewhere = link_of_channel(child)->is_elsewhere();
    auto file = is_elsewhere ? descriptor() : call_board::make_file();
    call_board board(file);
    board_offer offer;
    offer.in_flight = static_cast<std::uint32_t>(in_flight_);
    offer.limits = settings_.limits;
    std::vector<descriptor> beside;
    if (file)
        beside.push_back(std::move(file));
    child.send(offer, std::move(beside));
    launched_.insert_or_assign(child.pid(), std::move(board));
    return child;
}

BROOD_INLINE task<> pool_core::watch(std::shared_ptr<pool_core> self, event_stream events)
{
    for (;;)
    {
        auto event = co_await events.next();
        if (!event)
            break;
        self->on(*event);
    }
    // Nobody is left who could work.
    auto failed = self->cluster_->failure();
    if (!failed)
        failed = std::make_exception_ptr(
            error(errc::closed, "the pool has no workers any more, and starts none again"));
    self->close(failed);
}

BROOD_INLINE void pool_core::on(const cluster_event& event)
{
    if (event.what == cluster_event::kind::fork)
        return on_fork(event);
    if (event.what == cluster_event::kind::exit)
        unready_.erase(event.worker.id());
    if (event.what != cluster_event::kind::ready)
        return;
    unready_.erase(event.worker.id());
    changed_.post_all();
    auto found = workers_.find(event.worker.id());
    if (found == workers_.end() || found->second->is_retired)
        return;
    auto worker = found->second;
    ranks_.place(*worker);
    dispatch();
    if (worker->is_ranked && worker->load() == 0)
        take_from_others(*worker);
}

BROOD_INLINE void pool_core::on_fork(const cluster_event& event)
{
    auto found = launched_.find(event.worker.pid());
    if (found == launched_.end())
        return;
    auto worker = std::make_shared<pool_worker>(event.worker, std::move(found->second),
                                                in_flight_ + most_ahead_);
    launched_.erase(found);
    auto most =
        settings_.recycle.varied(static_cast<double>(settings_.max_calls), event.worker.id());
    worker->most = settings_.max_calls == 0
                       ? 0
                       : std::max<std::uint64_t>(1, static_cast<std::uint64_t>(most + 0.5));
    worker->figures = &slots_[event.worker.slot()];
    unready_.insert(event.worker.id());
    workers_.emplace(event.worker.id(), worker);
    asio::co_spawn(executor_, attend(shared_from_this(), worker), asio::detached);
}

// One worker more, when calls wait that none of those that start will take.
BROOD_INLINE void pool_core::grow()
{
    auto elastic = settings_.when == pool_settings::start::when_needed || settings_.min_size != 0;
    if (!elastic || closed_ || !cluster_ || cluster_->size() >= most_workers_)
        return;
    if (queue_.size() <= launched_.size() + unready_.size())
        return;
    cluster_->fork();
}

BROOD_INLINE task<> pool_core::shrink(std::shared_ptr<pool_core> self)
{
    while (!self->closed_)
    {
        co_await self->time_.wait_until(time_from_now(self->settings_.idle_after / 4));
        auto size = self->closed_ ? 0 : self->cluster_->size();
        if (size > self->settings_.min_size && self->has_long_idle_worker())
            co_await self->cluster_->scale(size - 1);
    }
}

BROOD_INLINE bool pool_core::has_long_idle_worker() const
{
    auto since = clock::now() - settings_.idle_after;
    return std::any_of(workers_.begin(), workers_.end(),
                       [&](auto& each)
                       {
                           auto& worker = *each.second;
                           return worker.is_ranked && worker.load() == 0 &&
                                  worker.idle_since < since;
                       });
}

// ---- When a worker ends

// An end that its calls, or the pool itself, are the reason of is no failure of the worker.
BROOD_INLINE bool pool_core::excuses(const exit_info& ended) const
{
    auto found = workers_.find(ended.id);
    if (found == workers_.end())
        return false;
    auto& worker = *found->second;
    return worker.is_killed || (worker.most != 0 && worker.handed >= worker.most) ||
           worker.has_begun_any();
}

BROOD_INLINE void pool_core::lost(pool_worker& worker, const exit_info& ended)
{
    retire(worker); // gives back what it had not begun
    std::vector<std::shared_ptr<pool_call>> begun;
    for (auto& each : worker.calls)
    {
        if (!each)
            continue;
        auto call = worker.release(each->record().place);
        --with_workers_;
        if (call->record().stage == call_stage::over)
        {
            clear_alarm(call->record()); // nothing has to be stopped any more
            continue;
        }
        if (worker.board.may_have_started(call->record().place, call->record().number))
            begun.push_back(std::move(call));
        else
            requeue(call);
    }
    std::sort(begun.begin(), begun.end(),
              [](auto& left, auto& right)
              { return left->record().number > right->record().number; });
    worker.figures->failed += begun.size();
    auto told = ended;
    auto by_itself = ended.cause == exit_cause::signalled && !worker.is_killed;
    if (settings_.limits && by_itself)
        if (auto broken = broken_limit(*settings_.limits, ended.status))
        {
            told.cause = exit_cause::limit;
            told.reason = *broken;
        }
    blame(begun, told, !worker.is_killed && !ended.wanted());
    auto kept = workers_.extract(worker.handle.id());
    changed_.post_all();
    dispatch();
}

// Calls that had begun in a worker that ended. When there were several, one of them may have ended
// it: each is tried alone.
BROOD_INLINE void pool_core::blame(const std::vector<std::shared_ptr<pool_call>>& begun,
                                   const exit_info& ended, bool by_a_call)
{
    for (auto& call : begun)
    {
        auto& record = call->record();
        auto guilty = by_a_call && begun.size() == 1;
        ++record.begun;
        if (guilty)
            record.ended.push_back(ended);
        auto again = record.attempts.repeats() && record.ended.size() < record.attempts.most();
        if (!again)
        {
            auto story = guilty ? record.ended : std::vector<exit_info>{ended};
            worker_lost lost(std::move(story), call->summary(), true);
            conclude(call, std::make_exception_ptr(std::move(lost)));
            continue;
        }
        record.alone = record.alone || by_a_call;
        ++stats_.retried;
        requeue(call);
    }
}

// ---- Time

BROOD_INLINE void pool_core::set_alarm(const std::shared_ptr<pool_call>& call, clock::time_point at)
{
    clear_alarm(call->record());
    auto alarm = alarms_.emplace(at, call);
    call->record().alarm = alarm;
    if (!std::exchange(keeps_time_, true))
        asio::co_spawn(executor_, keep_time(shared_from_this()), asio::detached);
    else if (alarm == alarms_.begin())
        time_.post_all();
}

BROOD_INLINE void pool_core::clear_alarm(call_record& record)
{
    if (record.alarm)
        alarms_.erase(*record.alarm);
    record.alarm.reset();
}

BROOD_INLINE task<> pool_core::keep_time(std::shared_ptr<pool_core> self)
{
    while (!self->alarms_.empty())
    {
        auto first = self->alarms_.begin();
        auto until = first->first;
        if (clock::now() < until)
        {
            co_await self->time_.wait_until(until);
            continue;
        }
        auto call = first->second.lock();
        if (call)
            self->ring(call);
        else
            self->alarms_.erase(first);
    }
    self->keeps_time_ = false;
}

BROOD_INLINE std::exception_ptr pool_core::late_error(const pool_call& call)
{
    ++stats_.timed_out;
    auto where = call.record().stage == call_stage::handed ? ": its worker is asked to stop it"
                                                           : ": it had not begun";
    return std::make_exception_ptr(
        error(errc::timed_out, "the call with " + call.summary() + " was late" + where));
}

// It is late, or it was asked to stop and did not.
BROOD_INLINE void pool_core::ring(const std::shared_ptr<pool_call>& call)
{
    auto& record = call->record();
    clear_alarm(record);
    if (record.stage != call_stage::over)
        return give_up(call, late_error(*call));
    auto worker = record.worker.lock();
    if (!worker || worker->find(record.place, record.number) != call)
        return;
    worker->is_killed = true;
    worker->handle.process().kill_tree(SIGKILL);
}

// ---- The end of the pool

BROOD_INLINE void pool_core::close(std::exception_ptr why)
{
    refuse(why);
    if (std::exchange(is_over_, true) || loop_has_ended())
        return;
    while (!queue_.empty())
        conclude(queue_.take([](auto&) { return false; }), why);
    for (auto& call : std::exchange(alone_, {}))
        conclude(call, why);
    for (auto& [id, worker] : workers_)
        for (auto& call : worker->calls)
            if (call && call->record().stage != call_stage::over)
                conclude(call, why);
    turn_away();
    time_.post_all();
    changed_.post_all();
}

BROOD_INLINE task<> pool_core::stop(std::shared_ptr<pool_core> self)
{
    self->close(std::make_exception_ptr(
        error(errc::closed, "the pool was stopped before this call had its result")));
    if (!self->cluster_)
        co_return;
    stop_policy quick(std::vector<stop_step>{stop_step::disconnect(self->settings_.grace),
                                             stop_step::kill_tree(std::chrono::seconds(5))});
    co_await self->cluster_->stop(quick);
    while (!self->workers_.empty())
        co_await self->changed_.wait();
}

BROOD_INLINE task<> pool_core::finish(std::shared_ptr<pool_core> self)
{
    self->refuse(std::make_exception_ptr(
        error(errc::closed, "the pool takes no more calls: it finishes those that it has")));
    while (!self->is_over_ &&
           (self->with_workers_ != 0 || !self->queue_.empty() || !self->alone_.empty()))
        co_await self->changed_.wait();
    co_await stop(self);
}

BROOD_INLINE task<> pool_core::scale(std::shared_ptr<pool_core> self, std::size_t size)
{
    self->start();
    self->most_workers_ = size;
    if (self->cluster_)
        co_await self->cluster_->scale(size);
}

BROOD_INLINE task<bool> pool_core::ready(std::shared_ptr<pool_core> self)
{
    self->start();
    if (!self->cluster_)
        co_return false;
    for (;;)
    {
        auto result = co_await self->cluster_->ready();
        // The cluster knows before its events have been read here.
        if (!result || self->is_over_ || (self->launched_.empty() && self->unready_.empty()))
            co_return result && !self->is_over_;
        co_await self->changed_.wait();
    }
}

BROOD_INLINE pool_stats pool_core::stats() const
{
    auto result = stats_;
    result.waiting = queue_.size() + alone_.size();
    result.running = with_workers_;
    if (cluster_)
        result.workers = cluster_->stats();
    auto slots = slots_;
    for (auto& [id, worker] : workers_)
        slots[worker->handle.slot()].running += worker->load();
    for (auto& [slot, calls] : slots)
    {
        calls.slot = slot;
        result.slots.push_back(calls);
    }
    return result;
}

// Calls that are no part of a map are counted when they end; until then they are found here.
BROOD_INLINE progress pool_core::progress() const
{
    auto result = meter_->read(clock::now());
    auto is_call = [](const std::shared_ptr<pool_call>& each)
    {
        return each && !each->is_chunk() && each->record().stage != call_stage::over;
    };
    std::uint64_t waiting = queue_.count(is_call), running = 0;
    waiting += static_cast<std::size_t>(std::count_if(alone_.begin(), alone_.end(), is_call));
    for (auto& [id, worker] : workers_)
        running += static_cast<std::size_t>(
            std::count_if(worker->calls.begin(), worker->calls.end(), is_call));
    result.waiting += waiting;
    result.running += running;
    result.retried += stats_.retried;
    if (result.total)
        *result.total += waiting + running;
    return result;
}

} // namespace brood::detail
