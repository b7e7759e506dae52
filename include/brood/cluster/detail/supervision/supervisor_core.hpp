// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/error.hpp>
#include <brood/cluster/detail/core/end_process.hpp>
#include <brood/cluster/detail/supervision/restart_group.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The children of a supervisor, each by its name; itself a child that another one can supervise.
class supervisor_core : public supervised, public std::enable_shared_from_this<supervisor_core>
{
public:
    supervisor_core(asio::any_io_executor executor, strategy how, restart_policy policy)
        : supervision_(std::make_shared<supervision>(executor, how, std::move(policy))),
          ended_(std::make_shared<shared_result<exit_info>>(executor))
    {
    }

    const asio::any_io_executor& executor() const noexcept { return supervision_->executor; }

    const restart_policy& policy() const noexcept { return supervision_->policy; }

    /// A name already there, or one that could not be found again, is refused.
    void add(std::string name, std::shared_ptr<supervised> child, restart_policy policy)
    {
        if (name.empty() || name.find('/') != std::string::npos || child_named(name))
            throw std::invalid_argument("brood: supervisor: \"" + name +
                                        "\" is no name for a child, or another one has it");
        children_.push_back(
            std::make_shared<child_record>(std::move(name), std::move(child), std::move(policy)));
    }

    bool running() const noexcept { return groups_ != 0; }

    /// Whether it was asked to end, until it is started again.
    bool stopping() const noexcept { return supervision_->stopping; }

    const std::vector<std::shared_ptr<child_record>>& children() const noexcept
    {
        return children_;
    }

    // ---- As a child itself

    void start(child_observer tell) override
    {
        supervision_->begin(std::move(tell));
        if (ended_->ready())
            ended_ = std::make_shared<shared_result<exit_info>>(executor());
        for (auto& each : children_)
            each->forget();
        begin_groups();
    }

    task<bool> ready() override { return wait_ready(shared_from_this(), ended_); }

    task<exit_info> ended() override { return wait_end(ended_); }

    void stop(exit_cause cause) override { supervision_->stop(cause); }

    void hasten(const stop_policy& how) override
    {
        supervision_->stop(exit_cause::stopped);
        for (auto& each : children_)
            if (each->runs())
                each->what->hasten(how);
    }

    task<reload_report> reload() override { return reload_all(shared_from_this()); }

    void measure(child_stats&, std::vector<child_stats>& inside) override { inside = figures(); }

    std::shared_ptr<supervisor_core> as_supervisor() override { return shared_from_this(); }

    std::optional<worker> find(std::string_view path) override
    {
        auto child = child_named(path.substr(0, path.find('/')));
        auto rest = path.find('/') == path.npos ? "" : path.substr(path.find('/') + 1);
        return child ? child->what->find(rest) : std::nullopt;
    }

    // ---- One child by its name

    /// The child with that path, and its supervisor. Throws std::out_of_range when there is none.
    std::pair<std::shared_ptr<supervisor_core>, std::shared_ptr<child_record>>
    place_of(std::string_view path)
    {
        auto here = shared_from_this();
        for (auto rest = path; here; rest.remove_prefix(rest.find('/') + 1))
        {
            auto child = here->child_named(rest.substr(0, rest.find('/')));
            if (child && rest.find('/') == rest.npos)
                return {here, child};
            here = child ? child->what->as_supervisor() : nullptr;
        }
        throw std::out_of_range("brood: supervisor: no child is called \"" + std::string(path) +
                                '"');
    }

    /// Stops it, for good or until it is started by name; nobody else is touched.
    static task<> stop_child(std::shared_ptr<supervisor_core> self,
                             std::shared_ptr<child_record> child)
    {
        auto& changed = self->supervision_->changed;
        child->halt();
        changed.post_all();
        while (child->runs())
            co_await changed.wait();
    }

    /// Starts it, if it does not run; false when it cannot be given work.
    static task<bool> start_child(std::shared_ptr<supervisor_core> self,
                                  std::shared_ptr<child_record> child)
    {
        auto& changed = self->supervision_->changed;
        while (child->is_being_stopped())
            co_await changed.wait();
        self->refuse_unless_running();
        if (!child->runs())
            self->start_again(child);
        while (!child->settled() && self->running())
            co_await changed.wait();
        co_return child->now == child_record::phase::ready;
    }

    static task<bool> restart_child(std::shared_ptr<supervisor_core> self,
                                    std::shared_ptr<child_record> child)
    {
        co_await stop_child(self, child);
        auto ready = co_await start_child(self, child);
        co_return ready;
    }

    static task<reload_report> reload_child(std::shared_ptr<supervisor_core> self,
                                            std::shared_ptr<child_record> child)
    {
        reload_report report;
        report.stopped = !self->running() || !child->runs();
        if (!report.stopped)
            report = co_await child->what->reload();
        if (report.failure)
            report.failure->name =
                child->name + (report.failure->name.empty() ? "" : "/") + report.failure->name;
        co_return report;
    }

    /// All of them, each before what is inside it.
    std::vector<child_stats> figures() const
    {
        std::vector<child_stats> result;
        for (auto& each : children_)
        {
            child_stats own{each->name, each->state(), each->starts, each->failed, {}};
            std::vector<child_stats> inside;
            each->what->measure(own, inside);
            result.push_back(std::move(own));
            for (auto& one : inside)
            {
                one.name = each->name + '/' + one.name;
                result.push_back(std::move(one));
            }
        }
        return result;
    }

    supervisor_stats stats() const
    {
        supervisor_stats result;
        result.uptime = supervision_->uptime();
        result.starts = supervision_->starts;
        result.exits = supervision_->exits;
        result.failures = supervision_->worker_failures;
        result.children = figures();
        return result;
    }

    /// What exit() throws at the end; null when it has not failed, or not ended.
    std::exception_ptr failure() const
    {
        auto last = ended_->peek();
        if (!last || !last->failed())
            return nullptr;
        return std::make_exception_ptr(
            error(errc::too_many_failures, "the supervisor gave up: " + last->reason));
    }

private:
    void refuse_unless_running() const
    {
        if (!running() || supervision_->stopping)
            throw std::logic_error("brood: a supervisor that does not run, or is about to end, "
                                   "starts no child by its name");
    }

    // A group that is over had no child any more.
    void start_again(const std::shared_ptr<child_record>& child)
    {
        child->failures = {};
        auto group = child->group.lock();
        if (group && !group->is_over())
            return group->start(child);
        child->now = child_record::phase::waiting;
        begin_group({child});
    }

    static task<reload_report> reload_all(std::shared_ptr<supervisor_core> self)
    {
        reload_report all;
        for (std::size_t index = 0; index < self->children_.size() && all.complete(); ++index)
        {
            auto child = self->children_[index];
            if (!child->runs())
                continue;
            auto report = co_await reload_child(self, child);
            all.replaced += report.replaced;
            all.failure = report.failure;
            all.stopped = self->supervision_->stopping;
        }
        co_return all;
    }

    std::shared_ptr<child_record> child_named(std::string_view name) const
    {
        auto found = std::find_if(children_.begin(), children_.end(),
                                  [&](auto& each) { return each->name == name; });
        return found == children_.end() ? nullptr : *found;
    }

    void begin_groups()
    {
        std::vector<std::vector<std::shared_ptr<child_record>>> groups;
        if (supervision_->how == strategy::one_for_one)
            for (auto& each : children_)
                groups.push_back({each});
        else if (!children_.empty())
            groups.push_back(children_);
        for (auto& each : groups)
            begin_group(std::move(each));
        if (groups_ == 0)
            end();
    }

    void begin_group(std::vector<std::shared_ptr<child_record>> children)
    {
        auto group = std::make_shared<restart_group>(supervision_, children);
        for (auto& each : children)
            each->group = group;
        ++groups_;
        asio::co_spawn(executor(), keep(shared_from_this(), group), asio::detached);
    }

    static task<> keep(std::shared_ptr<supervisor_core> self, std::shared_ptr<restart_group> group)
    {
        co_await restart_group::keep(group);
        if (--self->groups_ == 0)
            self->end();
    }

    void end()
    {
        ended_->set(supervision_->end());
        supervision_->changed.post_all();
        if (!supervision_->failure.empty() && policy().on_limit == on_limit::exit)
            end_process("a supervisor has ended: " + supervision_->failure, policy().exit_code);
    }

    // Children of ours first, then what is inside them.
    static task<bool> wait_ready(std::shared_ptr<supervisor_core> self,
                                 std::shared_ptr<shared_result<exit_info>> over)
    {
        while (!over->ready())
        {
            auto starts = self->count_starts();
            if (!self->is_settled())
            {
                co_await self->supervision_->changed.wait();
                continue;
            }
            auto inside = co_await self->are_ready_inside();
            if (inside && self->is_settled())
                co_return true;
            if (!inside && starts == self->count_starts())
                co_await self->supervision_->changed
                    .wait(); // it has ended, and is about to be noticed
        }
        co_return false;
    }

    task<bool> are_ready_inside()
    {
        for (std::size_t index = 0; index < children_.size(); ++index)
        {
            auto child = children_[index];
            if (!child->runs())
                continue;
            auto ready = co_await child->what->ready();
            if (!ready)
                co_return false;
        }
        co_return true;
    }

    bool is_settled() const
    {
        return std::all_of(children_.begin(), children_.end(),
                           [](auto& each) { return each->settled(); });
    }

    std::size_t count_starts() const
    {
        std::size_t sum = 0;
        for (auto& each : children_)
            sum += each->starts;
        return sum;
    }

    static task<exit_info> wait_end(std::shared_ptr<shared_result<exit_info>> over)
    {
        auto ended = co_await over->get();
        co_return ended;
    }

    std::shared_ptr<supervision> supervision_;
    std::shared_ptr<shared_result<exit_info>> ended_;
    std::vector<std::shared_ptr<child_record>> children_;
    std::size_t groups_ = 0; // that are not over
};

} // namespace brood::detail
