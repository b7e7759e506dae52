// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/supervision/supervision.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Children of a supervisor that need each other, in their order. One coroutine keeps them alive:
///
///     start; await the exit; ask the policy; take down who depends on it; wait; again.
class restart_group : public std::enable_shared_from_this<restart_group>
{
public:
    restart_group(std::shared_ptr<supervision> of,
                  std::vector<std::shared_ptr<child_record>> children)
        : supervision_(std::move(of)), children_(std::move(children))
    {
    }

    /// Ends when no child is kept any more, or the supervisor is to end.
    static task<> keep(std::shared_ptr<restart_group> self)
    {
        std::optional<restart_point> again(restart_point{0, {}});
        while (again)
        {
            co_await self->start_from(again->index);
            again = co_await self->next_restart();
            if (!again)
                break;
            co_await self->take_down_from(again->index, exit_cause::taken_down);
            co_await self->supervision_->pause(again->wait);
        }
        self->is_over_ = true;
        co_await self->take_down_from(0, exit_cause::stopped);
    }

    bool is_over() const noexcept { return is_over_; }

    /// Starts one that does not run, whatever became of it.
    void start(const std::shared_ptr<child_record>& child)
    {
        auto found = std::find(children_.begin(), children_.end(), child);
        start_one(child, static_cast<std::size_t>(found - children_.begin()));
        supervision_->changed.post_all();
    }

private:
    using phase = child_record::phase;

    // An end that nobody in the supervisor wanted.
    struct own_end
    {
        std::size_t index;
        std::size_t start; // how often the child had been started
        exit_info ended;
    };

    struct restart_point
    {
        std::size_t index;
        std::chrono::milliseconds wait;
    };

    // From the left to the right, each when the one before it is ready. One that fails ends it.
    task<> start_from(std::size_t first)
    {
        for (std::size_t index = first; index < children_.size() && !supervision_->stopping;
             ++index)
        {
            auto child = children_[index];
            if (!child->wants_start())
                continue;
            start_one(child, index);
            while (child->now == phase::starting && !supervision_->stopping)
                co_await supervision_->changed.wait();
            if (child->now == phase::ended)
                break;
        }
    }

    void start_one(const std::shared_ptr<child_record>& child, std::size_t index)
    {
        ++child->starts;
        child->now = phase::starting;
        child->what->start(
            [weak = std::weak_ptr(supervision_), name = child->name](child_event event)
            {
                event.name = event.name.empty() ? name : name + '/' + event.name;
                if (event.ended)
                    event.ended->name = event.name;
                if (auto life = weak.lock())
                    life->tell(std::move(event));
            });
        auto self = shared_from_this();
        asio::co_spawn(supervision_->executor, watch_start(self, child), asio::detached);
        asio::co_spawn(supervision_->executor, watch_end(self, child, index), asio::detached);
    }

    static task<> watch_start(std::shared_ptr<restart_group> self,
                              std::shared_ptr<child_record> child)
    {
        auto start = child->starts;
        auto ready = co_await child->what->ready();
        if (!ready || start != child->starts || child->now != phase::starting)
            co_return;
        child->now = phase::ready;
        if (!child->what->find({})) // a worker tells it itself
            self->tell(child_event::kind::ready, *child);
        self->supervision_->changed.post_all();
    }

    static task<> watch_end(std::shared_ptr<restart_group> self,
                            std::shared_ptr<child_record> child, std::size_t index)
    {
        auto start = child->starts;
        auto ended = co_await child->what->ended();
        ended.name = child->name;
        child->failed += ended.failed() ? 1U : 0U;
        if (child->end())
            self->ends_.push_back({index, start, ended});
        self->tell(child_event::kind::exit, *child, std::move(ended));
        self->supervision_->changed.post_all();
    }

    void tell(child_event::kind what, const child_record& child,
              std::optional<exit_info> ended = std::nullopt)
    {
        supervision_->tell({what, child.name, child.what->find({}), {}, std::move(ended)});
    }

    // Waits for the next end that asks for a restart. Nothing when the group is over.
    task<std::optional<restart_point>> next_restart()
    {
        for (;;)
        {
            while (ends_.empty() && !supervision_->stopping && is_any_kept())
                co_await supervision_->changed.wait();
            if (supervision_->stopping || ends_.empty())
                co_return std::nullopt;
            auto next = std::move(ends_.front());
            ends_.pop_front();
            auto& child = *children_[next.index];
            if (next.start != child.starts || child.now != phase::ended)
                continue; // it was started again with another one, or stopped by name
            auto decision = supervision_->decide(child, next.ended);
            if (decision.what == restart_decision::action::start)
                co_return restart_point{first_restarted(supervision_->how, next.index),
                                        decision.wait};
            settle(child, next.ended, decision);
            if (auto left_over = first_to_start(); left_over && !supervision_->stopping)
                co_return restart_point{*left_over, {}};
        }
    }

    // It is not started again by itself.
    void settle(child_record& child, const exit_info& ended, const restart_decision& decision)
    {
        auto rests = ended.cause == exit_cause::exited && ended.id != 0 &&
                     child.policy.when == restart::transient && !child.policy.gives_up(ended) &&
                     decision.what == restart_decision::action::leave;
        child.now = rests ? phase::resting : phase::parked;
        supervision_->changed.post_all(); // whoever waits for all may have looked before
        if (decision.what == restart_decision::action::park || child.policy.gives_up(ended))
            tell(child_event::kind::parked, child, ended);
        if (decision.what == restart_decision::action::fail)
            supervision_->fail(ended);
    }

    // A child that has not been started because one before it failed.
    std::optional<std::size_t> first_to_start() const
    {
        for (std::size_t index = 0; index < children_.size(); ++index)
            if (children_[index]->now == phase::waiting)
                return index;
        return std::nullopt;
    }

    bool is_any_kept() const
    {
        return std::any_of(children_.begin(), children_.end(),
                           [](auto& each) { return each->kept(); });
    }

    // From the right to the left, each when the one behind it has ended.
    task<> take_down_from(std::size_t first, exit_cause cause)
    {
        for (std::size_t index = children_.size(); index-- > first;)
        {
            auto child = children_[index];
            if (child->runs() && !child->is_being_stopped())
            {
                auto for_good = child->policy.when == restart::temporary;
                child->now = for_good ? phase::leaving : phase::ending;
                child->what->stop(cause);
            }
            while (child->runs())
                co_await supervision_->changed.wait();
        }
    }

    std::shared_ptr<supervision> supervision_;
    std::vector<std::shared_ptr<child_record>> children_;
    std::deque<own_end> ends_;
    bool is_over_ = false;
};

} // namespace brood::detail
