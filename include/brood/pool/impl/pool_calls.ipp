// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/pool_core.hpp>
#include <brood/pool/internal/chunk_call.hpp>
#include <brood/pool/internal/pool_call.hpp>

// From the call to its result: the queue, the worker, the reply.

namespace brood::detail
{

BROOD_INLINE pool_call::pool_call() = default;

BROOD_INLINE pool_call::~pool_call() = default;

BROOD_INLINE void pool_call::keep(std::unique_ptr<call_record> record) noexcept
{
    record_ = std::move(record);
}

BROOD_INLINE awaited_call::awaited_call(std::shared_ptr<pool_core> in,
                                        std::shared_ptr<pool_call> call,
                                        const call_options& options)
    : in_(std::move(in)), call_(std::move(call))
{
    auto record = std::make_unique<call_record>(in_->executor(), options);
    record->attempts = options.attempts.value_or(in_->settings().attempts);
    call_->keep(std::move(record));
    in_->watch_deadline(call_);
    if (!in_->is_closed())
        in_->enter(call_); // else whoever awaits it learns why
}

BROOD_INLINE awaited_call::~awaited_call()
{
    if (in_)
        in_->abandon(call_);
}

BROOD_INLINE bool awaited_call::has_entered() const noexcept
{
    return call_->record().stage != call_stage::outside || in_->is_closed();
}

BROOD_INLINE task<> awaited_call::ended()
{
    return pool_core::ended(in_, call_);
}

// ---- From the queue to a worker

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
        head.deadline = record.late_at->time_since_epoch() / std::chrono::nanoseconds(1);
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
    while (!queue_.empty())
    {
        auto worker = ranks_.least_loaded(limit_of_load());
        if (worker == nullptr)
            break;
        feed(*worker);
    }
    if (queue_.size() < settings_.waiting)
        room_.post_one();
    grow();
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

// ---- From a worker to the caller

BROOD_INLINE task<> pool_core::attend(std::shared_ptr<pool_core> self, worker_pointer worker)
{
    std::exception_ptr broken;
    try
    {
        co_await read_replies(self, worker);
    }
    catch (const error&)
    {
        broken = std::current_exception(); // it says what no worker says
    }
    self->retire(*worker);
    if (worker->load() != 0 && !worker->handle.is_dead())
        asio::co_spawn(self->executor_, end_the_silent(self, worker), asio::detached);
    auto ended = co_await worker->handle.exit();
    self->lost(*worker, ended);
}

// One that closed its channel and lives on can give no result any more: its callers do not wait for
// it.
BROOD_INLINE task<> pool_core::end_the_silent(std::shared_ptr<pool_core> self,
                                              worker_pointer worker)
{
    constexpr std::chrono::milliseconds most(1'000);
    co_await sleep(std::min(self->settings_.grace, most));
    if (!worker->handle.is_dead())
        worker->handle.process().kill_tree(SIGKILL);
}

BROOD_INLINE task<> pool_core::read_replies(std::shared_ptr<pool_core> self, worker_pointer worker)
{
    for (;;)
    {
        auto oldest = oldest_of(*worker->to, lane_name::messages);
        if (oldest.is == waiting_frame::state::never)
            co_return;
        if (oldest.is == waiting_frame::state::not_yet)
            co_await arrival_or_end(worker->to, lane_name::messages, std::nullopt);
        else
            self->take_reply(*worker, oldest);
    }
}

BROOD_INLINE void pool_core::take_reply(pool_worker& worker, const waiting_frame& oldest)
{
    auto is_chunk = oldest.fingerprint == message_fingerprint<chunk_call_reply>();
    if (!is_chunk && oldest.fingerprint != function_.reply)
        return take_failure(worker, oldest);
    auto take = is_chunk ? &chunk_call::take_reply : function_.take_reply;
    call_tail tail;
    std::exception_ptr wrong;
    auto find = [&](const call_tail& came)
    {
        tail = came;
        return worker.find(came.place, came.call).get();
    };
    try
    {
        take(*worker.to, oldest, find);
    }
    catch (const std::system_error&)
    {
        if (tail.call == 0)
            throw;
        wrong = std::current_exception(); // about what came beside it
    }
    ended_with(worker, tail, wrong);
}

BROOD_INLINE void pool_core::take_failure(pool_worker& worker, const waiting_frame& oldest)
{
    auto said = take_one<call_failure>(*worker.to, lane_name::messages, oldest);
    auto call = worker.find(said.tail.place, said.tail.call);
    if (!call)
        return;
    auto what = "the call with " + call->summary();
    if (!said.lacks_room)
    {
        remote_error thrown(worker.to->peer(), what, said.type, said.text);
        return ended_with(worker, said.tail, std::make_exception_ptr(std::move(thrown)));
    }
    worker.to->sending().take_returned(); // our copies of them
    error lost(errc::descriptors_lost, worker.to->peer() + ": " + what +
                                           ": its descriptors did not fit into the limit of open "
                                           "files of this worker, so it was not begun");
    ended_with(worker, said.tail, std::make_exception_ptr(std::move(lost)));
}

BROOD_INLINE void pool_core::ended_with(pool_worker& worker, const call_tail& tail,
                                        std::exception_ptr failure)
{
    auto call = worker.find(tail.place, tail.call);
    if (!call)
        return;
    auto& slot = slots_[worker.handle.slot()];
    ++(failure ? slot.failed : slot.done);
    auto time = std::min<std::uint64_t>(tail.nanoseconds, INT64_MAX / 16);
    mean_time_ = mean_time_ == 0 ? time : mean_time_ - mean_time_ / 8 + time / 8;
    stats_.times.add(std::chrono::milliseconds(static_cast<std::int64_t>(time / 1'000'000)));
    auto late = call->record().late_at && clock::now() >= *call->record().late_at;
    if (late && call->record().stage != call_stage::over)
        failure = late_error(*call); // its worker knew that before us
    leave(worker, tail.place);
    if (call->record().stage != call_stage::over)
        conclude(call, std::move(failure));
    dispatch();
    if (worker.is_ranked && worker.load() == 0)
    {
        worker.idle_since = clock::now();
        take_from_others(worker);
    }
}

// A place of a worker is free again.
BROOD_INLINE void pool_core::leave(pool_worker& worker, std::uint32_t place)
{
    auto call = worker.release(place);
    --with_workers_;
    clear_alarm(call->record());
    if (worker.load() == 0 && reserved_ != &worker)
        worker.is_reserved = false;
    if (worker.is_retired)
        end_when_idle(worker);
    else if (!worker.is_reserved)
        ranks_.place(worker);
    changed_.post_all();
}

// Its caller learns how it ended.
BROOD_INLINE void pool_core::conclude(const std::shared_ptr<pool_call>& call,
                                      std::exception_ptr failure)
{
    auto& record = call->record();
    ++(failure ? stats_.failed : stats_.done);
    if (!call->is_chunk())
        meter_->count(!failure, clock::now());
    record.stage = call_stage::over;
    record.failure = std::move(failure);
    clear_alarm(record);
    record.changed.post_all();
    changed_.post_all();
}

// Nobody waits for it any more.
BROOD_INLINE void pool_core::give_up(const std::shared_ptr<pool_call>& call, std::exception_ptr why)
{
    auto& record = call->record();
    auto was = record.stage;
    auto worker = record.worker.lock();
    if (why && !call->is_chunk())
        meter_->count(false, clock::now());
    record.stage = call_stage::over;
    record.failure = std::move(why);
    clear_alarm(record);
    record.changed.post_all();
    changed_.post_all();
    if (was == call_stage::outside)
        return room_.post_all(); // it waits among others
    if (was == call_stage::waiting)
    {
        if (!queue_.remove(call))
            std::erase(alone_, call);
        return room_.post_one();
    }
    if (was != call_stage::handed || !worker)
        return;
    if (worker->board.revoke(record.place, record.number))
    {
        leave(*worker, record.place);
        return dispatch();
    }
    worker->board.cancel(record.place, record.number);
    set_alarm(call, time_from_now(settings_.grace));
    try
    {
        frame_writer frame(*worker->to, frame_kind::message, label_of<call_cancelled>());
        frame.write(call_cancelled{record.place, record.number});
        frame.send();
    }
    catch (const error&)
    {
        // It ends anyway.
    }
}

} // namespace brood::detail
