// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/wire/internal/failure.hpp>
#include <brood/wire/internal/handler.hpp>
#include <brood/wire/internal/link.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace brood::detail
{

class serving : public std::enable_shared_from_this<serving>
{
public:
    serving(std::shared_ptr<link> from, std::vector<request_handler> handlers)
        : link_(std::move(from)), handlers_(std::move(handlers)), finished_(link_->executor())
    {
    }

    link& on() const noexcept { return *link_; }

    static task<> serve(std::shared_ptr<serving> self)
    {
        stop_at_exit stop{self};
        auto& from = *self->link_;
        auto& requests = from.waiting(lane_name::requests);
        auto others_ran = clock::now();
        for (;;)
        {
            while (self->running_.size() >= from.limits().max_calls)
                co_await self->finished_.wait();
            from.rethrow_failure();
            if (!from.sending().has_room_for_replies())
                co_await sender::room_for_replies(from.shared_sender());
            if (clock::now() - others_ran > longest_at_once)
            {
                from.sending().flush();
                co_await asio::post(from.executor(), asio::use_awaitable);
                others_ran = clock::now();
            }
            if (!requests.frames.empty())
                self->start();
            else if (!from.ended())
            {
                co_await arrival_or_end(self->link_, lane_name::requests, std::nullopt);
                others_ran = clock::now();
            }
            else
                break;
        }
        from.rethrow_failure();
        while (!self->running_.empty())
            co_await self->finished_.wait();
        from.rethrow_failure();
    }

    bool may_reply()
    {
        if (!link_->may_send())
            return false;
        if (link_->sending().overfull())
            link_->fail(error(errc::overflow, "it does not read the replies to its requests"));
        return link_->may_send();
    }

    void tell(std::uint64_t number, const std::exception_ptr& thrown)
    {
        reply_failure(number, describe(thrown, link_->limits().max_message));
    }

private:
    using clock = std::chrono::steady_clock;
    using running_requests =
        std::unordered_map<std::uint64_t, std::unique_ptr<asio::cancellation_signal>>;

    // Handlers still running when serve() is left by cancellation are cancelled as well.
    struct stop_at_exit
    {
        std::shared_ptr<serving> self;

        ~stop_at_exit()
        {
            for (auto& [number, signal] : self->running_)
                signal->emit(asio::cancellation_type::terminal);
        }
    };

    void start()
    {
        auto& waiting = link_->waiting(lane_name::requests);
        auto oldest = oldest_of(*link_, lane_name::requests);
        refuse_second(oldest.number);
        auto handler = std::find_if(handlers_.begin(), handlers_.end(),
                                    [&](const request_handler& each)
                                    { return each.request == oldest.fingerprint; });
        try
        {
            if (handler != handlers_.end() && !waiting.frames.front().cancelled)
            {
                auto work = handler->begin(shared_from_this(), oldest);
                return work.valid() ? spawn(oldest.number, std::move(work)) : void();
            }
            if (!link_->pop(lane_name::requests).cancelled)
                reply_failure(oldest.number, failure{});
        }
        catch (const std::system_error&)
        {
            link_->rethrow_failure();
            tell(oldest.number, std::current_exception()); // about what came beside it
        }
    }

    // The handlers of two requests with one number could not be told from each other.
    void refuse_second(std::uint64_t number)
    {
        if (!link_->calls().is_handled(number))
            return;
        link_->fail(error(errc::malformed,
                          "two requests at once with the number " + std::to_string(number)));
        link_->rethrow_failure();
    }

    void spawn(std::uint64_t number, task<> work)
    {
        auto& signal =
            *running_.emplace(number, std::make_unique<asio::cancellation_signal>()).first->second;
        link_->calls().handling(number, signal);
        auto done = [self = shared_from_this(), number](std::exception_ptr thrown)
        {
            self->finish(number, thrown);
        };
        asio::co_spawn(link_->executor(), std::move(work),
                       asio::bind_cancellation_slot(signal.slot(), std::move(done)));
    }

    void finish(std::uint64_t number, const std::exception_ptr& thrown)
    {
        link_->calls().handled(number);
        running_.erase(number);
        finished_.post_all();
        if (thrown)
            tell(number, thrown);
    }

    void reply_failure(std::uint64_t number, const failure& what)
    {
        if (!may_reply())
            return;
        frame_writer frame(*link_, frame_kind::failure, label_of<failure>(), number);
        frame.write(what);
        frame.send();
    }

    // Handlers that are plain functions run one after the other: then the replies that are there
    // leave, and the rest of the loop has its turn.
    static constexpr std::chrono::milliseconds longest_at_once{1};

    std::shared_ptr<link> link_;
    std::vector<request_handler> handlers_;
    running_requests running_;
    wait_queue finished_;
};

} // namespace brood::detail
