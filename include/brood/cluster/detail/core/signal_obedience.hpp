// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/write_without_waiting.hpp>
#include <brood/cluster/detail/core/obedient.hpp>
#include <brood/cluster/signal_table.hpp>
#include <brood/process/internal/stop_urgency.hpp>
#include <brood/process/signals.hpp>

#include <deque>
#include <exception>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Carries out what the signals of this process mean to a cluster, or to a supervisor.
class signal_obedience : public std::enable_shared_from_this<signal_obedience>
{
public:
    signal_obedience(asio::any_io_executor executor, std::shared_ptr<obedient> who,
                     const signal_table& table)
        : executor_(executor), who_(std::move(who)), table_(table),
          signals_(std::make_unique<signals>(executor, numbers(table)))
    {
    }

    /// Until there are no events any more: it has ended.
    template <class Events>
    static task<> obey(std::shared_ptr<signal_obedience> self, Events events)
    {
        asio::co_spawn(self->executor_, listen(self), asio::detached);
        for (;;)
        {
            auto event = co_await events.next();
            if (!event)
                break;
        }
        auto failed = self->who_->failure();
        self->who_ = nullptr;
        self->signals_.reset();
        if (failed)
            std::rethrow_exception(failed);
    }

private:
    static std::vector<int> numbers(const signal_table& table)
    {
        std::vector<int> result;
        for (auto& [number, action] : table.actions)
            result.push_back(number);
        return result;
    }

    static task<> listen(std::shared_ptr<signal_obedience> self)
    {
        try
        {
            while (self->who_ != nullptr)
            {
                auto number = co_await self->signals_->next();
                self->carry_out(self->table_.actions.at(number));
            }
        }
        catch (const std::system_error&)
        {
            // The cluster has ended, and with it the signals.
        }
    }

    void carry_out(signal_action action)
    {
        if (who_ == nullptr)
            return;
        auto dumps = action == signal_action::dump_and_stop_at_once;
        if (dumps)
            write_what_fits(STDERR_FILENO, who_->table());
        auto again = stopping_ && action == signal_action::stop;
        if (again || dumps || action == signal_action::stop_at_once)
            return begin(who_->stop(urgent_stop()));
        stopping_ = stopping_ || action == signal_action::stop;
        if (action == signal_action::stop)
            begin(who_->stop());
        else if (action == signal_action::reload)
            begin(reload(this->shared_from_this(), who_->reload()));
        else
            resize(action);
    }

    void resize(signal_action action)
    {
        resizes_.push_back(action);
        if (resizes_.size() == 1)
            begin(resize_all(this->shared_from_this()));
    }

    // Each counts from what the one before it has left.
    static task<> resize_all(std::shared_ptr<signal_obedience> self)
    {
        for (auto& left = self->resizes_; !left.empty() && self->who_ != nullptr; left.pop_front())
        {
            auto action = left.front();
            auto size = self->who_->size();
            if (action == signal_action::add_worker)
                co_await self->who_->scale(size + 1);
            else if (action == signal_action::remove_all)
                co_await self->who_->scale(0);
            else if (size > 1)
                co_await self->who_->scale(size - 1);
        }
    }

    void begin(task<> work) { asio::co_spawn(executor_, std::move(work), asio::detached); }

    static task<> reload(std::shared_ptr<signal_obedience> self, task<reload_report> running)
    {
        auto report = co_await std::move(running);
        if (self->table_.on_reload)
            self->table_.on_reload(report);
    }

    asio::any_io_executor executor_;
    std::shared_ptr<obedient> who_; // null once it has ended
    signal_table table_;
    std::unique_ptr<signals> signals_;
    bool stopping_ = false;
    std::deque<signal_action> resizes_; // the first is under way, the others wait for their turn
};

} // namespace brood::detail
