// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/cluster/detail/core/end_process.hpp>
#include <brood/cluster/detail/supervision/restart_group.hpp>

#include <algorithm>
#include <cstddef>
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

    const std::vector<std::shared_ptr<child_record>>& children() const noexcept
    {
        return children_;
    }

    // ---- As a child itself

    void start(end_observer on_end) override
    {
        supervision_->begin(std::move(on_end));
        if (ended_->ready())
            ended_ = std::make_shared<shared_result<exit_info>>(executor());
        for (auto& each : children_)
            each->forget();
        begin_groups();
    }

    task<bool> ready() override { return wait_ready(shared_from_this(), ended_); }

    task<exit_info> ended() override { return wait_end(ended_); }

    void stop(exit_cause cause) override { supervision_->stop(cause); }

    std::optional<worker> find(std::string_view path) override
    {
        auto child = child_named(path.substr(0, path.find('/')));
        auto rest = path.find('/') == path.npos ? "" : path.substr(path.find('/') + 1);
        return child ? child->what->find(rest) : std::nullopt;
    }

private:
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
        groups_ = groups.size();
        for (auto& each : groups)
        {
            auto group = std::make_shared<restart_group>(supervision_, std::move(each));
            asio::co_spawn(executor(), keep(shared_from_this(), group), asio::detached);
        }
        if (groups_ == 0)
            end();
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
