// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/pool_core.hpp>
#include <brood/pool/internal/pool_call.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

// The way of a call from the queue to a worker.

namespace brood::detail
{

BROOD_INLINE pool_worker* pool_core::next_worker_for(const call_record& call)
{
    if (!call.affinity)
        return ranks_.least_loaded(limit_of_load());
    // The slot that comes first for this key: when another one goes, only its keys move.
    const pool_worker* best = nullptr;
    std::uint64_t most = 0;
    for (auto& [id, worker] : workers_)
    {
        auto score = mixed(*call.affinity ^ mixed(worker->handle.slot() + 1));
        if (worker->is_ranked && (best == nullptr || score > most))
        {
            best = worker.get();
            most = score;
        }
    }
    return ranks_.least_loaded(limit_of_load(),
                               [&](const pool_worker* each) { return each == best; });
}

// As call_head has it. The clock of another machine is another one.
inline std::int64_t deadline_for(const pool_worker& worker,
                                 std::chrono::steady_clock::time_point late_at)
{
    std::chrono::nanoseconds since = late_at.time_since_epoch();
    if (!worker.to->is_elsewhere())
        return since.count();
    std::chrono::nanoseconds left = late_at - std::chrono::steady_clock::now();
    return -std::max<std::int64_t>(left.count(), 1);
}

BROOD_INLINE bool pool_core::hand(pool_worker& worker, const std::shared_ptr<pool_call>& call)
{
    if (worker.handle.state() >= worker_state::draining)
    {
        retire(worker);
        return false;
    }
    auto& record = call->record();
    auto place = worker.free.back();
    call_head head;
    head.place = place;
    head.call = ++last_number_;
    head.attempt = record.begun + 1;
    if (record.late_at)
        head.deadline = deadline_for(worker, *record.late_at);
    worker.board.queue(place, head.call);
    try
    {
        call->send(*worker.to, head);
    }
    catch (const error& why)
    {
        if (!refused(worker, place, why))
            conclude(call, std::current_exception());
        return false;
    }
    catch (...)
    {
        worker.board.revoke(place, head.call);
        conclude(call, std::current_exception()); // what the serialisation of an argument throws
        return false;
    }
    worker.free.pop_back();
    worker.calls[place] = call;
    record.worker = worker.weak_from_this();
    record.place = place;
    record.number = head.call;
    record.stage = call_stage::handed;
    ++with_workers_;
    if (++worker.handed == worker.most)
    {
        worker.is_retired = true; // it ends when it has done what it has
        ranks_.remove(worker);
    }
    else if (!worker.is_reserved)
        ranks_.place(worker);
    return true;
}

// Whether the worker is why it could not be sent, and not the call.
BROOD_INLINE bool pool_core::refused(pool_worker& worker, std::uint32_t place, const error& why)
{
    worker.board.revoke(place, last_number_);
    if (why.code() == errc::closed || worker.to->ended())
    {
        retire(worker);
        return true;
    }
    if (why.code() != errc::overflow || worker.load() == 0)
        return false;
    ranks_.remove(worker); // until it has read some of what waits for it, and replies
    return true;
}

// Gives calls that wait to workers that have room.
BROOD_INLINE void pool_core::dispatch()
{
    dispatch_alone();
    admit();
    while (!queue_.empty())
    {
        auto worker = ranks_.least_loaded(limit_of_load());
        if (worker == nullptr)
            break;
        feed(*worker);
        admit();
    }
    grow();
}

// Those that wait for room enter in their order: nobody is woken to try.
BROOD_INLINE void pool_core::admit()
{
    if (closed_)
        turn_away();
    while (!outside_.empty() && queue_.size() < settings_.waiting)
    {
        auto& next = outside_.front();
        next->record().stage = call_stage::waiting;
        queue_.push(std::move(next));
        outside_.pop_front();
    }
}

// It takes no more calls: those that wait for room learn why when they try again.
BROOD_INLINE void pool_core::turn_away()
{
    for (auto& call : std::exchange(outside_, {}))
        wake(call);
}

// One that waits goes to this worker.
BROOD_INLINE void pool_core::feed(pool_worker& worker)
{
    auto prefers = [&](const std::shared_ptr<pool_call>& each)
    {
        auto& affinity = each->record().affinity;
        return affinity && next_worker_for(each->record()) == &worker;
    };
    auto next = queue_.take(prefers);
    if (!hand(worker, next) && next->record().stage == call_stage::waiting)
        queue_.push_front(next);
}

// A worker without calls is there for one that has to be alone, or becomes free for it.
BROOD_INLINE void pool_core::dispatch_alone()
{
    while (!alone_.empty())
    {
        auto worker =
            reserved_ != nullptr ? reserved_ : ranks_.least_loaded(in_flight_ + most_ahead_ + 1);
        if (worker == nullptr)
            return;
        if (!std::exchange(worker->is_reserved, true))
        {
            ranks_.remove(*worker);
            take_back_queued(*worker);
        }
        reserved_ = worker;
        if (worker->load() != 0)
            return;
        reserved_ = nullptr; // it is another's when this one is over
        auto next = std::move(alone_.front());
        alone_.pop_front();
        if (!hand(*worker, next) && next->record().stage == call_stage::waiting)
            alone_.push_front(next);
    }
}

// An idle worker takes a call that another one has at hand and has not begun.
BROOD_INLINE void pool_core::take_from_others(pool_worker& idle)
{
    auto from = ranks_.most_loaded(in_flight_);
    if (from == nullptr)
        return;
    for (auto& each : from->calls)
    {
        if (!each || !from->board.revoke(each->record().place, each->record().number))
            continue;
        auto call = from->release(each->record().place);
        --with_workers_;
        ranks_.place(*from);
        call->record().stage = call_stage::waiting;
        if (!hand(idle, call) && call->record().stage == call_stage::waiting)
        {
            requeue(call);
            dispatch();
        }
        return;
    }
}

// The callers of what it has just done go on first: they may have more for it.
BROOD_INLINE void pool_core::take_from_others_soon(pool_worker& idle)
{
    auto take = [self = shared_from_this(), worker = idle.shared_from_this()]
    {
        if (worker->is_ranked && worker->load() == 0)
            self->take_from_others(*worker);
    };
    asio::post(executor_, std::move(take));
}

BROOD_INLINE void pool_core::take_back_queued(pool_worker& from)
{
    for (auto& each : from.calls)
    {
        if (!each || !from.board.revoke(each->record().place, each->record().number))
            continue;
        auto call = from.release(each->record().place);
        --with_workers_;
        requeue(call);
    }
}

// Back where it waits, before the others.
BROOD_INLINE void pool_core::requeue(const std::shared_ptr<pool_call>& call)
{
    auto& record = call->record();
    if (record.stage == call_stage::over)
        return;
    if (is_over_)
        return conclude(call, closed_);
    record.stage = call_stage::waiting;
    if (record.alone)
        alone_.push_back(call);
    else
        queue_.push_front(call);
}

// It is given nothing more, and ends when it has done what it has.
BROOD_INLINE void pool_core::retire(pool_worker& worker)
{
    if (std::exchange(worker.is_retired, true))
        return;
    ranks_.remove(worker);
    if (reserved_ == &worker)
        reserved_ = nullptr;
    take_back_queued(worker);
    end_when_idle(worker);
}

BROOD_INLINE void pool_core::end_when_idle(pool_worker& worker)
{
    if (worker.load() == 0 && worker.handle.state() < worker_state::draining)
        worker.handle.disconnect();
}

} // namespace brood::detail
