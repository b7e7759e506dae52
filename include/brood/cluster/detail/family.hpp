// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/shared_result.hpp>
#include <brood/base/error.hpp>
#include <brood/cluster/detail/end_process.hpp>
#include <brood/cluster/detail/family_member.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/strategy.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The children of a supervisor. Those that need each other are one group, and each group has one
/// coroutine:
///
///     start; await the exit; ask the policy; take down who depends on it; wait; again.
class family : public supervised, public std::enable_shared_from_this<family>
{
public:
    family(asio::any_io_executor executor, strategy how, restart_policy policy)
        : executor_(executor), how_(how), policy_(std::move(policy)),
          ended_(std::make_shared<shared_result<exit_info>>(executor)), changed_(executor)
    {
        policy_.check();
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    const restart_policy& policy() const noexcept { return policy_; }

    /// A name already there, or one that could not be found again, is refused.
    void add(std::string name, std::shared_ptr<supervised> child, restart_policy policy)
    {
        if (name.empty() || name.find('/') != std::string::npos || member(name))
            throw std::invalid_argument("brood: supervisor: \"" + name +
                                        "\" is no name for a child, or another one has it");
        members_.push_back(
            std::make_shared<family_member>(std::move(name), std::move(child), std::move(policy)));
    }

    bool running() const noexcept { return groups_ != 0; }

    const std::vector<std::shared_ptr<family_member>>& members() const noexcept { return members_; }

    // ---- As a child itself

    void start(end_listener inside) override
    {
        inside_ = std::move(inside);
        if (ended_->ready())
            ended_ = std::make_shared<shared_result<exit_info>>(executor_);
        failures_ = {};
        failure_.clear();
        stopping_ = false;
        started_ = std::chrono::steady_clock::now();
        for (auto& each : members_)
            each->forget();
        begin();
    }

    task<bool> ready() override { return wait_ready(shared_from_this(), ended_); }

    task<exit_info> ended() override { return wait_end(ended_); }

    void stop(exit_cause cause) override
    {
        if (stopping_)
            return;
        stopping_ = true;
        cause_ = cause;
        changed_.post_all();
    }

    std::optional<worker> find(std::string_view path) override
    {
        auto child = member(path.substr(0, path.find('/')));
        auto rest = path.find('/') == path.npos ? "" : path.substr(path.find('/') + 1);
        return child ? child->what->find(rest) : std::nullopt;
    }

private:
    using group = std::vector<std::shared_ptr<family_member>>;

    // An end that nobody in the supervisor wanted.
    struct own_end
    {
        std::size_t index; // in its group
        std::size_t start; // how often the child had been started
        exit_info ended;
    };

    using own_ends = std::deque<own_end>;

    struct restart_point
    {
        std::size_t index;
        std::chrono::milliseconds wait;
    };

    std::shared_ptr<family_member> member(std::string_view name) const
    {
        auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](auto& each) { return each->name == name; });
        return found == members_.end() ? nullptr : *found;
    }

    void begin()
    {
        std::vector<group> groups;
        if (how_ == strategy::one_for_one)
            for (auto& each : members_)
                groups.push_back({each});
        else if (!members_.empty())
            groups.push_back(members_);
        groups_ = groups.size();
        for (auto& each : groups)
            asio::co_spawn(executor_, keep(shared_from_this(), each), asio::detached);
        if (groups_ == 0)
            end();
    }

    static task<> keep(std::shared_ptr<family> self, group children)
    {
        auto ends = std::make_shared<own_ends>();
        std::optional<restart_point> again(restart_point{0, {}});
        while (again)
        {
            co_await self->start_from(again->index, children, ends);
            again = co_await self->next_restart(children, ends);
            if (!again)
                break;
            co_await self->take_down_from(again->index, children, exit_cause::taken_down);
            co_await self->pause(again->wait);
        }
        co_await self->take_down_from(0, children, exit_cause::stopped);
        if (--self->groups_ == 0)
            self->end();
    }

    // From the left to the right, each when the one before it is ready. One that fails ends it.
    task<> start_from(std::size_t first, const group& children, std::shared_ptr<own_ends> ends)
    {
        for (std::size_t index = first; index < children.size() && !stopping_; ++index)
        {
            auto child = children[index];
            if (!child->kept || child->running)
                continue;
            start_one(child, index, ends);
            while (child->running && !child->ready && !stopping_)
                co_await changed_.wait();
            if (!child->running && child->kept)
                break;
        }
    }

    void start_one(const std::shared_ptr<family_member>& child, std::size_t index,
                   const std::shared_ptr<own_ends>& ends)
    {
        ++child->starts;
        child->running = true;
        child->ready = child->taken_down = child->resting = child->undecided = false;
        child->what->start(
            [weak = weak_from_this(), name = child->name](exit_info ended)
            {
                ended.name = name + '/' + ended.name;
                if (auto self = weak.lock())
                    self->report(std::move(ended));
            });
        asio::co_spawn(executor_, await_ready(shared_from_this(), child), asio::detached);
        asio::co_spawn(executor_, await_end(shared_from_this(), child, index, ends),
                       asio::detached);
    }

    static task<> await_ready(std::shared_ptr<family> self, std::shared_ptr<family_member> child)
    {
        auto start = child->starts;
        auto ready = co_await child->what->ready();
        if (start != child->starts)
            co_return;
        child->ready = ready;
        self->changed_.post_all();
    }

    static task<> await_end(std::shared_ptr<family> self, std::shared_ptr<family_member> child,
                            std::size_t index, std::shared_ptr<own_ends> ends)
    {
        auto start = child->starts;
        auto ended = co_await child->what->ended();
        child->running = false;
        ended.name = child->name;
        child->undecided = !child->taken_down;
        if (child->undecided)
            ends->push_back({index, start, ended});
        self->report(std::move(ended));
        self->changed_.post_all();
    }

    // Waits for the next end that asks for a restart. Nothing when the group is over.
    task<std::optional<restart_point>> next_restart(const group& children,
                                                    std::shared_ptr<own_ends> ends)
    {
        for (;;)
        {
            while (ends->empty() && !stopping_ && is_any_running(children))
                co_await changed_.wait();
            if (stopping_ || ends->empty())
                co_return std::nullopt;
            auto next = std::move(ends->front());
            ends->pop_front();
            auto& child = *children[next.index];
            if (next.start != child.starts)
                continue; // it was started again with another one
            auto decision = decide(child, next.ended);
            if (decision.what == restart_decision::action::start)
                co_return restart_point{first_restarted(how_, next.index), decision.wait};
            child.resting = next.ended.cause == exit_cause::exited && next.ended.id != 0 &&
                            child.policy.when == restart::transient &&
                            decision.what == restart_decision::action::leave;
            child.kept = child.resting;
            child.undecided = false;
            if (decision.what == restart_decision::action::fail)
                fail(next.ended);
            else if (auto left_over = first_to_start(children))
                co_return restart_point{*left_over, {}};
        }
    }

    // A child that has not been started because one before it failed.
    static std::optional<std::size_t> first_to_start(const group& children)
    {
        for (std::size_t index = 0; index < children.size(); ++index)
            if (!children[index]->settled() && !children[index]->running &&
                !children[index]->undecided)
                return index;
        return std::nullopt;
    }

    static bool is_any_running(const group& children)
    {
        return std::any_of(children.begin(), children.end(),
                           [](auto& each) { return each->running; });
    }

    restart_decision decide(family_member& child, const exit_info& ended)
    {
        auto has_nothing_left_to_do = ended.id == 0 && !ended.failed();
        if (has_nothing_left_to_do)
            return {restart_decision::action::leave, {}};
        auto random = std::uniform_real_distribution<double>(0, 1)(random_);
        return child.policy.decide(ended, child.failures, failures_,
                                   std::chrono::steady_clock::now(), random);
    }

    // From the right to the left, each when the one behind it has ended.
    task<> take_down_from(std::size_t first, const group& children, exit_cause cause)
    {
        for (std::size_t index = children.size(); index-- > first;)
        {
            auto child = children[index];
            if (child->policy.when == restart::temporary && child->running)
                child->kept = false;
            if (child->running)
            {
                child->taken_down = true;
                child->what->stop(cause);
            }
            while (child->running)
                co_await changed_.wait();
        }
    }

    task<> pause(std::chrono::milliseconds wait)
    {
        auto until = std::chrono::steady_clock::now() + wait;
        try
        {
            while (!stopping_ && std::chrono::steady_clock::now() < until)
                co_await changed_.wait(until);
        }
        catch (const std::system_error& over)
        {
            if (over.code() != asio::error::timed_out)
                throw;
        }
    }

    void report(exit_info ended)
    {
        if (inside_)
            inside_(std::move(ended));
    }

    void fail(const exit_info& last)
    {
        if (stopping_)
            return;
        failure_ = "its children failed more often than its restart policy allows; the last was " +
                   to_string(last);
        stop(exit_cause::children_failed);
    }

    void end()
    {
        exit_info ended;
        ended.was_ready = true;
        ended.cause = stopping_ ? cause_ : exit_cause::exited;
        ended.reason = failure_;
        ended.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - started_);
        ended_->set(std::move(ended));
        changed_.post_all();
        if (!failure_.empty() && policy_.on_limit == on_limit::exit)
            end_process("a supervisor has ended: " + failure_, policy_.exit_code);
    }

    // Children of ours first, then what is inside them.
    static task<bool> wait_ready(std::shared_ptr<family> self,
                                 std::shared_ptr<shared_result<exit_info>> over)
    {
        while (!over->ready())
        {
            auto starts = self->count_starts();
            if (!self->is_settled())
            {
                co_await self->changed_.wait();
                continue;
            }
            auto inside = co_await self->are_ready_inside();
            if (inside && self->is_settled())
                co_return true;
            if (!inside && starts == self->count_starts())
                co_await self->changed_.wait(); // it has ended, and is about to be noticed
        }
        co_return false;
    }

    task<bool> are_ready_inside()
    {
        for (std::size_t index = 0; index < members_.size(); ++index)
        {
            auto child = members_[index];
            if (!child->running)
                continue;
            auto ready = co_await child->what->ready();
            if (!ready)
                co_return false;
        }
        co_return true;
    }

    bool is_settled() const
    {
        return std::all_of(members_.begin(), members_.end(),
                           [](auto& each) { return each->settled(); });
    }

    std::size_t count_starts() const
    {
        std::size_t sum = 0;
        for (auto& each : members_)
            sum += each->starts;
        return sum;
    }

    static task<exit_info> wait_end(std::shared_ptr<shared_result<exit_info>> over)
    {
        auto ended = co_await over->get();
        co_return ended;
    }

    asio::any_io_executor executor_;
    strategy how_;
    restart_policy policy_;
    std::shared_ptr<shared_result<exit_info>> ended_;
    std::vector<std::shared_ptr<family_member>> members_;
    failure_history failures_;
    end_listener inside_;
    std::minstd_rand random_{std::random_device{}()};
    wait_queue changed_; // any start, end, or stop
    std::chrono::steady_clock::time_point started_;
    std::size_t groups_ = 0; // that are not over
    std::string failure_;
    exit_cause cause_ = exit_cause::exited;
    bool stopping_ = false;
};

} // namespace brood::detail
