// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/base/task.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// Links of a circular list: a node that is alone points at itself.
struct list_node
{
    list_node* previous = this;
    list_node* next = this;

    list_node() = default;
    list_node(const list_node&) = delete;
    list_node& operator=(const list_node&) = delete;
    ~list_node() { unlink(); }

    bool alone() const noexcept { return next == this; }

    void insert_before(list_node& place) noexcept
    {
        previous = place.previous;
        next = &place;
        previous->next = next->previous = this;
    }

    void unlink() noexcept
    {
        previous->next = next;
        next->previous = previous;
        previous = next = this;
    }
};

class wait_queue;

/// Knows every wait_queue of one loop, to let go of the suspended coroutines when the loop goes.
///
/// A coroutine that waits is owned by the queue, and often owns the queue: only this breaks the
/// circle.
class wait_service final : public asio::execution_context::service
{
public:
    using key_type = wait_service;
    inline static asio::execution_context::id id;

    explicit wait_service(asio::execution_context& context)
        : asio::execution_context::service(context)
    {
    }

    void shutdown() noexcept override;

    bool is_shut_down() const noexcept { return shut_down_; }

private:
    friend wait_queue;

    void add(list_node& queue)
    {
        std::lock_guard lock(mutex_);
        queue.insert_before(queues_);
    }

    void remove(list_node& queue) noexcept
    {
        std::lock_guard lock(mutex_);
        queue.unlink();
    }

    // Several threads may run the loop, each with strands of its own.
    std::mutex mutex_;
    list_node queues_;
    bool shut_down_ = false;
};

/// Coroutines that wait for the same thing, resumed in the order they came. For one executor: a
/// loop that one thread runs, or a strand.
class wait_queue : private list_node
{
    using handler =
        asio::async_result<asio::use_awaitable_t<>, void(std::error_code)>::handler_type;

    struct waiter : list_node
    {
        wait_queue* queue = nullptr;
        bool is_ours = true; // else it is a ticket
        std::optional<handler> resume;
        std::shared_ptr<asio::steady_timer> limit; // only of a wait that has one
    };

public:
    /// Who waits with a ticket can be told from the others, and takes no memory but the ticket's.
    /// It must live as long as the wait.
    class ticket : waiter
    {
    public:
        ticket() { is_ours = false; }

        /// Whether one waits with it.
        bool waits() const noexcept { return resume.has_value(); }

    private:
        friend wait_queue;
    };

    explicit wait_queue(asio::any_io_executor executor)
        : executor_(std::move(executor)), service_(asio::use_service<wait_service>(
                                              asio::query(executor_, asio::execution::context)))
    {
        service_.add(*this);
    }

    ~wait_queue()
    {
        post_all(asio::error::operation_aborted);
        if (is_known_)
            service_.remove(*this);
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    bool empty() const noexcept { return waiting_.alone(); }

    /// Whether the loop has been destroyed: nothing can wait or be posted any more.
    bool loop_has_ended() const noexcept { return service_.is_shut_down(); }

    /// Suspends until resumed. Cancelled, it throws operation_aborted and has taken nothing.
    ///
    /// The queue must live until then, or be destroyed, which cancels.
    task<> wait() { return begin_wait(std::nullopt); }

    /// The same with a ticket, for one wait at a time.
    task<> wait(ticket& as) { return begin_wait(std::nullopt, &as); }

    /// The same, but at the deadline, if there is one, it gives false. True when it was resumed.
    task<bool> wait_until(deadline until) { return wait_in_time(until, nullptr); }

    /// The same with a ticket.
    task<bool> wait_until(deadline until, ticket& as) { return wait_in_time(until, &as); }

    /// Resumes the first one inside this call, if its executor is ours; else posts to its executor.
    /// Only for a turn of the loop that is ready for whatever the coroutine does, our end included.
    void resume_one()
    {
        if (auto ready = take_first())
            resume(std::move(*ready));
    }

    /// The same for the one that waits with this ticket, if any does.
    void resume(ticket& of)
    {
        if (of.waits())
            resume(take(of));
    }

    /// Lets the first one go on in a later turn of the loop.
    void post_one(std::error_code result = {})
    {
        if (auto ready = take_first())
            post(std::move(*ready), result);
    }

    /// Lets all go on in later turns of the loop, in their order.
    void post_all(std::error_code result = {}) noexcept
    {
        while (!empty())
            post_one(result);
    }

private:
    friend wait_service;

    task<> begin_wait(deadline until, ticket* as = nullptr)
    {
        return asio::async_initiate<const asio::use_awaitable_t<>, void(std::error_code)>(
            initiation{this, until, as}, asio::use_awaitable);
    }

    task<bool> wait_in_time(deadline until, ticket* as)
    {
        try
        {
            co_await begin_wait(until, as);
            co_return true;
        }
        catch (const std::system_error& ended)
        {
            if (ended.code() != asio::error::timed_out)
                throw;
        }
        co_return false;
    }

    // What runs when somebody cancels: it may find that the wait ended, but not that the queue did,
    // because each end of a wait clears the slot that holds this.
    struct canceller
    {
        waiter* who;

        void operator()(asio::cancellation_type) const
        {
            auto queue = who->queue;
            auto cancelled = queue->take(*who);
            queue->post(std::move(cancelled), asio::error::operation_aborted);
        }
    };

    struct initiation
    {
        wait_queue* queue;
        deadline until;
        waiter* as;

        void operator()(handler resume) const
        {
            auto& added = as != nullptr ? *as : queue->unused();
            queue->add(added, std::move(resume));
            if (until)
                queue->limit(added, *until);
        }
    };

    waiter& unused() { return unused_.alone() ? *new waiter : static_cast<waiter&>(*unused_.next); }

    void add(waiter& added, handler resume)
    {
        added.unlink();
        added.queue = this;
        added.insert_before(waiting_);
        added.resume.emplace(std::move(resume));
        auto slot = asio::get_associated_cancellation_slot(*added.resume);
        if (slot.is_connected())
            slot.assign(canceller{&added});
    }

    // The end of a wait drops the timer: a handler that finds it gone came too late.
    void limit(waiter& limited, std::chrono::steady_clock::time_point until)
    {
        limited.limit = std::make_shared<asio::steady_timer>(executor_, until);
        limited.limit->async_wait(
            [this, &limited, timer = std::weak_ptr(limited.limit)](std::error_code)
            {
                if (!timer.expired())
                    post(take(limited), asio::error::timed_out);
            });
    }

    handler take(waiter& taken)
    {
        taken.unlink();
        auto slot = asio::get_associated_cancellation_slot(*taken.resume);
        if (slot.is_connected())
            slot.clear();
        auto resume = std::move(*taken.resume);
        taken.resume.reset();
        taken.limit.reset();
        if (taken.is_ours)
            taken.insert_before(*unused_.next); // the next to wait finds it in the cache
        return resume;
    }

    std::optional<handler> take_first()
    {
        if (empty())
            return std::nullopt;
        return take(static_cast<waiter&>(*waiting_.next));
    }

    void resume(handler ready)
    {
        auto executor = asio::get_associated_executor(ready, executor_);
        if (executor == executor_)
            std::move(ready)(std::error_code{});
        else
            post(std::move(ready), {});
    }

    void post(handler ready, std::error_code result)
    {
        auto executor = asio::get_associated_executor(ready, executor_);
        asio::post(executor, [ready = std::move(ready), result]() mutable { ready(result); });
    }

    struct waiters : list_node
    {
        ~waiters()
        {
            while (!alone())
                delete static_cast<waiter*>(next);
        }
    };

    asio::any_io_executor executor_;
    wait_service& service_;
    bool is_known_ = true; // to the service, which may be gone before us
    waiters waiting_;
    waiters unused_;
};

inline void wait_service::shutdown() noexcept
{
    shut_down_ = true;
    while (!queues_.alone())
    {
        auto& queue = static_cast<wait_queue&>(*queues_.next);
        if (queue.empty())
        {
            queue.unlink();
            queue.is_known_ = false;
        }
        else
            queue.take_first(); // what it gives is destroyed here, and with it perhaps the queue
    }
}

} // namespace brood::detail
