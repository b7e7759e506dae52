// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/pool_core.hpp>
#include <brood/pool/internal/chunk_call.hpp>
#include <brood/pool/internal/pool_call.hpp>

// A call as its caller has it, and its way from the worker back to that.

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
    auto record = std::make_unique<call_record>(options);
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

BROOD_INLINE bool awaited_call::has_ended()
{
    auto& stage = call_->record().stage;
    if (stage == call_stage::outside)
        in_->enter(call_);
    return stage == call_stage::over;
}

BROOD_INLINE task<> awaited_call::change()
{
    return in_->change(call_);
}

BROOD_INLINE void awaited_call::rethrow_failure() const
{
    if (auto& failure = call_->record().failure)
        std::rethrow_exception(failure);
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
                                              std::weak_ptr<pool_worker> silent)
{
    constexpr std::chrono::milliseconds most(1'000);
    co_await sleep(std::min(self->settings_.grace, most));
    auto worker = silent.lock(); // its descriptors go with it, and it has mostly ended by now
    if (worker && !worker->handle.is_dead())
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
    if (oldest.fingerprint == message_fingerprint<call_begun>())
        return take_begun(worker, oldest);
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

BROOD_INLINE void pool_core::take_begun(pool_worker& worker, const waiting_frame& oldest)
{
    auto said = take_one<call_begun>(*worker.to, lane_name::messages, oldest);
    auto call = worker.find(said.place, said.call);
    if (call && !call->record().attempts.repeats())
        call->let_go();
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
    ++(failure ? worker.figures->failed : worker.figures->done);
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
        take_from_others_soon(worker);
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
    wake(call);
    changed_.post_all();
}

// Its caller goes on in a later turn of the loop, together with those of what has come until then:
// each finds in the cache what the one before has left there.
BROOD_INLINE void pool_core::wake(const std::shared_ptr<pool_call>& call)
{
    if (!call->record().caller.waits())
        return;
    woken_.push_back(std::shared_ptr(call));
    if (!std::exchange(wakes_, true))
        wake_later();
}

BROOD_INLINE void pool_core::wake_later()
{
    asio::post(executor_, [self = shared_from_this()] { self->resume_callers(); });
}

BROOD_INLINE void pool_core::resume_callers()
{
    // Also when one of them throws, as what is told of the end of a coroutine may.
    struct wake_the_others
    {
        pool_core& in;

        ~wake_the_others()
        {
            in.wakes_ = !in.woken_.empty();
            if (in.wakes_)
                in.wake_later();
        }
    } at_exit{*this};
    while (!woken_.empty())
    {
        auto call = woken_.pop_front();
        auto& caller = call->record().caller;
        if (!caller.waits())
            continue;
        call.reset(); // its caller has it still: what it keeps open is closed when that goes on
        callers_.resume(caller);
    }
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
    wake(call);
    changed_.post_all();
    if (was == call_stage::outside)
        std::erase(outside_, call);
    if (was == call_stage::waiting)
    {
        if (!queue_.remove(call))
            std::erase(alone_, call);
        return admit();
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
