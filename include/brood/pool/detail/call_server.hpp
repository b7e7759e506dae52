// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/error.hpp>
#include <brood/pool/detail/call_board.hpp>
#include <brood/pool/detail/call_context.hpp>
#include <brood/pool/detail/context_executor.hpp>
#include <brood/pool/detail/link_of.hpp>
#include <brood/pool/detail/told_failure.hpp>
#include <brood/pool/internal/served_call.hpp>
#include <brood/process/process.hpp>
#include <brood/process/worker_limits.hpp>
#include <brood/wire/internal/link.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The worker's side of a pool: takes calls, begins those that were not taken back meanwhile, and
/// sends what they give.
class call_server : public std::enable_shared_from_this<call_server>
{
public:
    call_server(process& self, std::vector<call_service> services)
        : self_(self), link_(link_of_channel(self)), services_(std::move(services)),
          finished_(link_->executor())
    {
    }

    static task<> serve(std::shared_ptr<call_server> self)
    {
        using offer = carrying<board_offer, std::vector<descriptor>>;
        auto offered = co_await self->self_.channel::message<offer>();
        if (!offered)
            co_return;
        self->in_flight_ = std::max(1U, offered->message.in_flight);
        if (!offered->object().empty())
            self->board_ = call_board(offered->object().front());
        self->limits_ = std::move(offered->message.limits);
        if (self->limits_)
            self->limits_->enter();
        self->self_.ready();
        while (self->take_all())
        {
            if (std::exchange(self->is_full_, false))
                co_await self->self_.drain();
            else
                co_await arrival_or_end(self->link_, lane_name::messages, std::nullopt);
        }
        while (!self->running_.empty() || !self->waiting_.empty())
            co_await self->finished_.wait();
    }

private:
    using clock = std::chrono::steady_clock;

    // No call counts as longer, so that the short ones that follow are soon believed.
    static constexpr clock::duration is_long = std::chrono::microseconds(320);

    struct running_call
    {
        std::uint64_t call = 0;
        asio::cancellation_signal stop;
    };

    // What is here, until it is time to drain. False at the end of the channel.
    bool take_all()
    {
        flushed_ = last_ended_ = clock::now();
        while (!is_full_)
        {
            auto oldest = oldest_of(*link_, lane_name::messages);
            if (oldest.is != waiting_frame::state::here)
                return oldest.is == waiting_frame::state::not_yet;
            take(oldest);
        }
        return true;
    }

    void take(const waiting_frame& oldest)
    {
        auto service = std::find_if(services_.begin(), services_.end(),
                                    [&](const call_service& each)
                                    { return each.request == oldest.fingerprint; });
        if (service == services_.end())
            return cancel(take_one<call_cancelled>(*link_, lane_name::messages, oldest));
        auto head = head_of(oldest.payload);
        auto has_room = waiting_.empty() && running_.size() < in_flight_;
        // It has begun before its arguments are read, which may end this process as well.
        if (has_room && !board_.start(head.place, head.call))
        {
            take_oldest(*link_, lane_name::messages);
            return;
        }
        auto call = receive(*service, oldest, head);
        if (call && has_room)
            begin(std::move(call));
        else if (call)
            waiting_.push_back(std::move(call));
    }

    // Null for one whose arguments cannot be had: it is answered then.
    std::unique_ptr<served_call> receive(const call_service& service, const waiting_frame& oldest,
                                         const call_head& head)
    {
        std::unique_ptr<served_call> call;
        std::exception_ptr wrong;
        try
        {
            call = service.decode(oldest.payload);
        }
        catch (...)
        {
            wrong = std::current_exception();
        }
        auto beside = take_oldest(*link_, lane_name::messages);
        try
        {
            if (wrong)
                std::rethrow_exception(wrong);
            if (beside.lost)
                throw_lost(*link_);
            call->receive(beside, *link_);
            return call;
        }
        catch (...)
        {
            answer_with_failure({head.place, head.call, 0}, beside.lost);
            board_.finish(head.place, head.call);
        }
        return nullptr;
    }

    void cancel(const call_cancelled& said)
    {
        auto found = running_.find(said.place);
        if (found != running_.end() && found->second.call == said.call)
            found->second.stop.emit(asio::cancellation_type::terminal);
    }

    void start_waiting()
    {
        while (!waiting_.empty() && running_.size() < in_flight_)
        {
            auto next = std::move(waiting_.front());
            waiting_.pop_front();
            if (board_.start(next->head().place, next->head().call))
                begin(std::move(next));
        }
    }

    void begin(std::unique_ptr<served_call> call)
    {
        if (call->tells_begin())
            tell_begun(call->head());
        if (services_.front().is_coroutine)
            spawn(std::move(call));
        else
            run(*call);
    }

    // At once: a plain function may take long.
    void tell_begun(const call_head& head)
    {
        try
        {
            frame_writer frame(*link_, frame_kind::message, label_of<call_begun>());
            frame.write(call_begun{head.place, head.call});
            frame.send();
            link_->sending().flush();
        }
        catch (const error&)
        {
            // Nobody is there to be told.
        }
    }

    // What a primary elsewhere says is left of the time, it cannot say by our clock.
    static call_head by_our_clock(call_head head)
    {
        if (head.deadline < 0)
        {
            std::chrono::nanoseconds now = clock::now().time_since_epoch();
            head.deadline = now.count() - head.deadline;
        }
        return head;
    }

    std::shared_ptr<call_context> context_of(const call_head& head) const
    {
        auto here = by_our_clock(head);
        return std::make_shared<call_context>(
            call_context{here, board_, self_.worker_id(), self_.worker_slot(), limits()});
    }

    // That of the call before, when nobody has kept it.
    std::shared_ptr<const call_context> context_again(const call_head& head)
    {
        if (context_.use_count() != 1)
            context_ = context_of(head);
        context_->head = by_our_clock(head);
        return context_;
    }

    // One clock serves: a call begins where the one before it has ended.
    void run(served_call& call)
    {
        call.begin(last_ended_);
        {
            current_call_scope scope(context_again(call.head()));
            answer(call, nullptr);
        }
        flush_in_time(call.ended());
    }

    // The next call may take long, and what this one gave must not wait for it. Only where calls
    // have been short for a while, their replies leave together. How long writing takes says
    // nothing about calls, and the first one after a pause, or one that was interrupted, not much.
    void flush_in_time(clock::time_point now)
    {
        constexpr std::chrono::microseconds is_short(20), longest_wait(50);
        auto took = std::min(now - std::exchange(last_ended_, now), is_long);
        expected_ = std::max(took, expected_ - expected_ / 8);
        if (expected_ < is_short && now - flushed_ < longest_wait)
            return;
        link_->sending().flush();
        flushed_ = last_ended_ = clock::now();
    }

    void spawn(std::shared_ptr<served_call> call)
    {
        call->begin(clock::now());
        auto& head = call->head();
        auto& running = running_[head.place];
        running.call = head.call;
        asio::any_io_executor executor =
            context_executor(link_->executor(), context_of(call->head()));
        auto done = [self = shared_from_this(), call](const std::exception_ptr& thrown)
        {
            self->running_.erase(call->head().place);
            self->answer(*call, thrown);
            self->start_waiting();
            self->finished_.post_all();
        };
        asio::co_spawn(executor, call->run(),
                       asio::bind_cancellation_slot(running.stop.slot(), std::move(done)));
    }

    void answer(served_call& call, const std::exception_ptr& thrown)
    {
        try
        {
            if (thrown)
                std::rethrow_exception(thrown);
            is_full_ = !call.answer(*link_);
        }
        catch (...)
        {
            answer_with_failure(call.tail(), false);
        }
        board_.finish(call.head().place, call.head().call);
    }

    void answer_with_failure(const call_tail& tail, bool lacks_room)
    {
        auto told = told_failure(std::current_exception(), limits());
        call_failure what{tail, std::move(told.type), std::move(told.text), lacks_room};
        auto most = link_->limits().max_message / 4;
        what.type.resize(std::min(what.type.size(), most));
        what.text.resize(std::min(what.text.size(), most));
        try
        {
            frame_writer frame(*link_, frame_kind::message, label_of<call_failure>());
            frame.write(what);
            frame.send();
        }
        catch (const error&)
        {
            // Nobody is there to be told.
        }
    }

    const worker_limits* limits() const noexcept { return limits_ ? &*limits_ : nullptr; }

    process& self_;
    std::shared_ptr<link> link_;
    std::vector<call_service> services_; // all of one function
    call_board board_;
    std::size_t in_flight_ = 1;
    std::optional<worker_limits> limits_;
    std::deque<std::unique_ptr<served_call>> waiting_;
    std::map<std::uint32_t, running_call> running_; // by place
    std::shared_ptr<call_context> context_;         // of a plain function's last call
    bool is_full_ = false;                          // it is time to drain
    clock::time_point flushed_;                     // or nothing was there to be sent
    clock::time_point last_ended_;                  // the call before, or the wait for the next one
    clock::duration expected_ = is_long;            // of a call
    wait_queue finished_;
};

} // namespace brood::detail
