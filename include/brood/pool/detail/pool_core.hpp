// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/ring.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/error.hpp>
#include <brood/base/internal/hash.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/pool/detail/call_queue.hpp>
#include <brood/pool/detail/call_record.hpp>
#include <brood/pool/detail/pool_cluster.hpp>
#include <brood/pool/detail/pool_worker.hpp>
#include <brood/pool/detail/progress_meter.hpp>
#include <brood/pool/internal/pool_call.hpp>
#include <brood/pool/pool_settings.hpp>
#include <brood/pool/pool_stats.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// What a pool knows: its calls, where each of them is, and its workers.
class pool_core : public std::enable_shared_from_this<pool_core>
{
public:
    pool_core(asio::any_io_executor executor, pool_settings settings, pool_function function)
        : executor_(executor), settings_(std::move(settings)), function_(std::move(function)),
          in_flight_(settings_.in_flight != 0 ? settings_.in_flight
                     : function_.is_coroutine ? 16U
                                              : 1U),
          most_ahead_(settings_.fetched_ahead != 0 ? settings_.fetched_ahead : 15U),
          ranks_(in_flight_ + most_ahead_), callers_(executor), time_(executor), changed_(executor)
    {
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    const pool_settings& settings() const noexcept { return settings_; }

    /// Whether the loop has been destroyed: nothing can be sent or awaited any more.
    bool loop_has_ended() const noexcept { return changed_.loop_has_ended(); }

    /// Throws when it ended before it had any.
    any_cluster& workers()
    {
        start();
        if (!cluster_)
            throw error(errc::closed, "the pool has ended, and had no workers");
        return *cluster_;
    }

    bool has_started() const noexcept { return cluster_.has_value(); }

    std::size_t size() const noexcept { return cluster_ ? cluster_->size() : 0; }

    bool is_closed() const noexcept { return closed_ != nullptr; }

    // ---- Calls

    /// Puts a call where it waits for a worker, or is with one at once. False when there is no
    /// room.
    bool enter(const std::shared_ptr<pool_call>& call)
    {
        if (closed_)
            std::rethrow_exception(closed_);
        start();
        if (queue_.empty() && alone_.empty())
            if (auto worker = next_worker_for(call->record()))
                if (hand(*worker, call))
                    return true;
        if (call->record().stage == call_stage::over)
            return true; // it could not be sent
        if (queue_.size() >= settings_.waiting)
            return false;
        queue_.push(call);
        call->record().stage = call_stage::waiting;
        dispatch();
        return true;
    }

    /// Waits until a call may be over. One for which there was no room enters as soon as there is
    /// some, before those that come later.
    task<> change(const std::shared_ptr<pool_call>& of)
    {
        if (of->record().stage == call_stage::outside)
            outside_.push_back(of);
        return callers_.wait(of->record().caller);
    }

    /// Its caller waits no more.
    void abandon(const std::shared_ptr<pool_call>& call)
    {
        if (call->record().stage == call_stage::over || loop_has_ended())
            return;
        ++stats_.cancelled;
        give_up(call, nullptr);
    }

    /// It has to be over by now.
    void watch_deadline(const std::shared_ptr<pool_call>& call)
    {
        auto& record = call->record();
        if (record.late_at)
            set_alarm(call, *record.late_at);
    }

    // ---- The pool

    /// Begins to work, when it does not yet.
    void start();

    /// Takes no more calls and ends those that there are, for this reason.
    void close(std::exception_ptr why);

    /// Takes no more calls.
    void refuse(std::exception_ptr why) noexcept
    {
        if (!closed_)
            closed_ = std::move(why);
    }

    static task<> stop(std::shared_ptr<pool_core> self);

    static task<> finish(std::shared_ptr<pool_core> self);

    static task<> scale(std::shared_ptr<pool_core> self, std::size_t size);

    static task<bool> ready(std::shared_ptr<pool_core> self);

    pool_stats stats() const;

    // ---- Maps

    /// How many chunks may be under way: as many as all workers together work on, and so many more
    /// at hand in each.
    std::size_t lanes(std::size_t ahead) const noexcept
    {
        return most_workers_ * (in_flight_ + ahead);
    }

    const std::shared_ptr<progress_meter>& meter() const noexcept { return meter_; }

    brood::progress progress() const;

private:
    using worker_pointer = std::shared_ptr<pool_worker>;
    using clock = std::chrono::steady_clock;

    // ---- From the queue to a worker

    std::size_t limit_of_load() const noexcept { return in_flight_ + ahead(); }

    std::size_t ahead() const noexcept
    {
        if (settings_.fetched_ahead != 0 || mean_time_ == 0)
            return settings_.fetched_ahead != 0 ? settings_.fetched_ahead : 1U;
        constexpr std::uint64_t round_trip = 400'000; // nanoseconds, on a machine that is busy
        return std::clamp<std::size_t>(round_trip / mean_time_, 1, most_ahead_);
    }

    pool_worker* next_worker_for(const call_record& call);
    bool hand(pool_worker& worker, const std::shared_ptr<pool_call>& call);
    bool refused(pool_worker& worker, std::uint32_t place, const error& why);
    void dispatch();
    void admit();
    void turn_away();
    void dispatch_alone();
    void feed(pool_worker& worker);
    void take_from_others(pool_worker& idle);
    void take_from_others_soon(pool_worker& idle);
    void take_back_queued(pool_worker& from);
    void requeue(const std::shared_ptr<pool_call>& call);
    void retire(pool_worker& worker);
    void end_when_idle(pool_worker& worker);

    // ---- From a worker to the caller

    static task<> attend(std::shared_ptr<pool_core> self, worker_pointer worker);
    static task<> end_the_silent(std::shared_ptr<pool_core> self,
                                 std::weak_ptr<pool_worker> silent);
    static task<> read_replies(std::shared_ptr<pool_core> self, worker_pointer worker);
    void take_reply(pool_worker& worker, const waiting_frame& oldest);
    void take_begun(pool_worker& worker, const waiting_frame& oldest);
    void take_failure(pool_worker& worker, const waiting_frame& oldest);
    void ended_with(pool_worker& worker, const call_tail& tail, std::exception_ptr failure);
    void leave(pool_worker& worker, std::uint32_t place);
    void conclude(const std::shared_ptr<pool_call>& call, std::exception_ptr failure);
    void wake(const std::shared_ptr<pool_call>& call);
    void wake_later();
    void resume_callers();
    void give_up(const std::shared_ptr<pool_call>& call, std::exception_ptr why);

    // ---- When a worker ends

    void lost(pool_worker& worker, const exit_info& ended);
    void blame(const std::vector<std::shared_ptr<pool_call>>& begun, const exit_info& ended,
               bool by_a_call);
    bool excuses(const exit_info& ended) const;

    // ---- Workers

    forked_process launch(const spawn_options& options);
    static task<> watch(std::shared_ptr<pool_core> self, event_stream events);
    void on(const cluster_event& event);
    void on_fork(const cluster_event& event);
    void on_exit(const cluster_event& event);
    void grow();
    static task<> shrink(std::shared_ptr<pool_core> self);
    bool has_long_idle_worker() const;

    // ---- Time

    void set_alarm(const std::shared_ptr<pool_call>& call, clock::time_point at);
    void clear_alarm(call_record& record);
    static task<> keep_time(std::shared_ptr<pool_core> self);
    void ring(const std::shared_ptr<pool_call>& call);
    std::exception_ptr late_error(const pool_call& call);

    asio::any_io_executor executor_;
    pool_settings settings_;
    pool_function function_;
    std::size_t in_flight_;
    std::size_t most_ahead_;
    std::size_t most_workers_ = 0;
    std::optional<pool_cluster> cluster_;
    std::map<pid_t, call_board> launched_;            // workers that nobody has told of yet
    std::set<std::uint64_t> unready_;                 // workers by id
    std::map<std::uint64_t, worker_pointer> workers_; // by id
    worker_ranks ranks_;
    call_queue queue_;
    std::deque<std::shared_ptr<pool_call>> outside_; // calls whose callers wait for room
    std::deque<std::shared_ptr<pool_call>> alone_;   // calls that need a worker of their own
    pool_worker* reserved_ = nullptr;                // for the first of these
    std::uint64_t last_number_ = 0;                  // of a call
    std::size_t with_workers_ = 0;                   // calls
    std::uint64_t mean_time_ = 0;                    // of a call, in nanoseconds
    pool_stats stats_;                               // counters alone
    std::shared_ptr<progress_meter> meter_ = std::make_shared<progress_meter>();
    std::map<std::size_t, slot_calls> slots_;
    call_times alarms_;
    bool keeps_time_ = false;
    std::exception_ptr closed_;                      // why it takes no more calls
    bool is_over_ = false;                           // all its calls have ended
    detail::ring<std::shared_ptr<pool_call>> woken_; // their callers go on soon
    bool wakes_ = false;                             // whether that has been posted
    wait_queue callers_;                             // each with the ticket of its call
    wait_queue time_;                                // an earlier alarm, or the end
    wait_queue changed_; // a call or a worker has ended, or a worker is ready
};

} // namespace brood::detail
