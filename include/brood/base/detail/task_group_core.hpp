// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/task.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// What a task_group and its members share: it lives until the last of them has gone.
class task_group_core : public std::enable_shared_from_this<task_group_core>
{
public:
    task_group_core(asio::any_io_executor executor, std::size_t at_most)
        : executor_(std::move(executor)), at_most_(at_most), ended_(executor_), room_(executor_)
    {
    }

    std::size_t running() const noexcept { return running_.size(); }

    std::size_t waiting() const noexcept { return waiting_.size(); }

    void start(task<> member)
    {
        if (is_closed() || loop_has_ended())
            return;
        waiting_.push_back(std::move(member));
        launch_later();
    }

    void cancel()
    {
        cancelled_ = true;
        end_all();
    }

    static task<> join(std::shared_ptr<task_group_core> core)
    {
        joiner told(*core);
        auto throwing = co_await asio::this_coro::throw_if_cancelled();
        // A cancellation is told by the wait alone: the members have to be awaited nonetheless.
        co_await asio::this_coro::throw_if_cancelled(false);
        while (!core->is_idle())
        {
            try
            {
                co_await core->ended_.wait();
            }
            catch (const std::system_error&)
            {
                core->fail(std::current_exception());
            }
        }
        co_await asio::this_coro::throw_if_cancelled(throwing);
        if (core->failure_)
            std::rethrow_exception(core->failure_);
    }

    static task<> room(std::shared_ptr<task_group_core> core)
    {
        while (!core->is_closed() && core->running() + core->waiting() >= core->at_most_)
            co_await core->room_.wait();
        if (core->is_closed())
        {
            if (!core->failure_)
                throw std::system_error(asio::error::operation_aborted);
            co_await join(core);
        }
    }

private:
    using signals = std::list<std::shared_ptr<asio::cancellation_signal>>;

    // Every handler of ours holds one. When the loop goes, handlers are destroyed and never called:
    // what has not begun must go then, as it may own the group.
    class lease
    {
    public:
        explicit lease(std::shared_ptr<task_group_core> core) : core_(std::move(core)) {}
        lease(lease&&) noexcept = default;

        ~lease()
        {
            if (core_)
                core_->loop_goes();
        }

        std::shared_ptr<task_group_core> take() { return std::move(core_); }

    private:
        std::shared_ptr<task_group_core> core_;
    };

    // The end of a member. The signal lives as long as somebody may still cancel with it.
    struct on_end
    {
        lease core;
        signals::iterator place;
        std::shared_ptr<asio::cancellation_signal> signal;

        void operator()(std::exception_ptr thrown)
        {
            auto group = core.take();
            group->ended(place, thrown);
        }
    };

    // Whoever awaits the end; the last of them makes the group new.
    class joiner
    {
    public:
        explicit joiner(task_group_core& core) : core_(core) { ++core_.joiners_; }
        joiner(const joiner&) = delete;
        joiner& operator=(const joiner&) = delete;

        ~joiner()
        {
            if (--core_.joiners_ == 0 && core_.is_idle())
            {
                core_.failure_ = nullptr;
                core_.cancelled_ = false;
            }
        }

    private:
        task_group_core& core_;
    };

    bool is_closed() const noexcept { return cancelled_ || failure_; }

    // The queue knows it while the loop goes; a handler that went unused, also afterwards.
    bool loop_has_ended() const noexcept { return loop_has_gone_ || ended_.loop_has_ended(); }

    void loop_goes()
    {
        loop_has_gone_ = true;
        drop_waiting();
    }

    bool is_idle() const noexcept { return running_.empty() && waiting_.empty(); }

    void launch_later()
    {
        if (launching_ || waiting_.empty() || running_.size() >= at_most_)
            return;
        launching_ = true;
        asio::post(executor_,
                   [turn = lease(shared_from_this())]() mutable { turn.take()->launch(); });
    }

    void launch()
    {
        launching_ = false;
        while (!waiting_.empty() && running_.size() < at_most_)
        {
            auto member = std::move(waiting_.front());
            waiting_.pop_front();
            auto signal = std::make_shared<asio::cancellation_signal>();
            auto place = running_.insert(running_.end(), signal);
            on_end end{lease(shared_from_this()), place, signal};
            asio::co_spawn(executor_, std::move(member),
                           asio::bind_cancellation_slot(signal->slot(), std::move(end)));
        }
    }

    void ended(signals::iterator place, const std::exception_ptr& thrown)
    {
        running_.erase(place);
        if (thrown && !(cancelled_ && is_cancellation(thrown)))
            fail(thrown);
        launch_later();
        tell();
    }

    void fail(const std::exception_ptr& why)
    {
        if (failure_)
            return;
        failure_ = why;
        end_all();
    }

    void end_all()
    {
        drop_waiting();
        if (running_.empty() || loop_has_ended())
            return tell();
        // Inside the loop this runs at once, so that no signal outlives the coroutine it is for.
        asio::dispatch(executor_,
                       [all = std::vector(running_.begin(), running_.end())]
                       {
                           for (auto& each : all)
                               each->emit(asio::cancellation_type::terminal);
                       });
        tell();
    }

    // Their destructors may come back here.
    void drop_waiting() { auto dropped = std::exchange(waiting_, {}); }

    void tell()
    {
        if (is_idle())
            ended_.post_all();
        if (is_closed() || running() + waiting() < at_most_)
            room_.post_all();
    }

    static bool is_cancellation(const std::exception_ptr& thrown)
    {
        try
        {
            std::rethrow_exception(thrown);
        }
        catch (const std::system_error& known)
        {
            return known.code() == asio::error::operation_aborted;
        }
        catch (...)
        {
            return false;
        }
    }

    asio::any_io_executor executor_;
    std::size_t at_most_;
    std::deque<task<>> waiting_; // not begun
    signals running_;            // one for each member that has begun and not ended
    bool launching_ = false;     // whether launch() has been posted
    bool cancelled_ = false;
    bool loop_has_gone_ = false;
    std::exception_ptr failure_; // the first
    std::size_t joiners_ = 0;
    wait_queue ended_;
    wait_queue room_;
};

} // namespace brood::detail
