// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/internal/exception_text.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/detail/supervision/supervised.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// A whole cluster. Its workers are told of as children with the number of their slot as name.
class supervised_cluster : public supervised
{
public:
    using factory = std::function<std::shared_ptr<any_cluster>()>;

    supervised_cluster(asio::any_io_executor executor, factory make)
        : executor_(std::move(executor)), make_(std::move(make))
    {
    }

    void start(child_observer tell) override
    {
        run_ = std::make_shared<run>(executor_);
        run_->workers = make_();
        asio::co_spawn(executor_, watch(run_, run_->workers->events(), std::move(tell)),
                       asio::detached);
    }

    task<bool> ready() override { return wait_ready(run_); }

    task<exit_info> ended() override { return wait_end(run_); }

    void stop(exit_cause cause) override
    {
        if (run_->ended.ready())
            return;
        run_->cause = cause;
        asio::co_spawn(executor_, stop_workers(run_), asio::detached);
    }

    void hasten(const stop_policy& how) override
    {
        asio::co_spawn(executor_, stop_workers_by(run_, how), asio::detached);
    }

    task<reload_report> reload() override { return reload_workers(run_); }

    void measure(child_stats&, std::vector<child_stats>& inside) override
    {
        if (!run_)
            return;
        for (auto& each : run_->workers->stats().workers)
            inside.push_back(
                {std::to_string(each.slot), state_of(each), each.starts, each.failures, each});
    }

    std::optional<worker> find(std::string_view path) override
    {
        std::size_t slot = 0;
        auto end = path.data() + path.size();
        if (!run_ || path.empty() || std::from_chars(path.data(), end, slot).ptr != end)
            return std::nullopt;
        return run_->workers->worker_in_slot(slot);
    }

private:
    // From one start to its end.
    struct run
    {
        explicit run(asio::any_io_executor executor) : ended(std::move(executor)) {}

        std::shared_ptr<any_cluster> workers;
        exit_cause cause = exit_cause::exited;
        shared_result<exit_info> ended;
    };

    static child_state state_of(const worker_stats& one)
    {
        if (one.state == worker_state::ready)
            return child_state::ready;
        if (one.state == worker_state::draining)
            return child_state::draining;
        return one.state == worker_state::ended ? child_state::ended : child_state::starting;
    }

    // Ends come twice, as events and by exit(), which also has those from before the first event.
    static task<> tell_ends(std::shared_ptr<run> self, child_observer tell, std::uint64_t last)
    {
        for (;;)
        {
            auto ended = co_await self->workers->exit();
            if (!ended)
                co_return;
            child_event event{child_event::kind::exit, std::to_string(ended->slot), {}, {}, ended};
            tell(event);
            if (ended->id == last)
                co_return;
        }
    }

    static task<> tell_all(std::shared_ptr<run> self, event_stream events, child_observer tell)
    {
        for (;;)
        {
            auto next = co_await events.next();
            if (!next)
                break;
            if (next->what == cluster_event::kind::exit)
            {
                co_await tell_ends(self, tell, next->ended->id);
                continue;
            }
            child_event event{next->what, std::to_string(next->worker.slot()), next->worker,
                              next->text, next->ended};
            tell(event);
        }
        co_await tell_ends(self, tell, 0);
    }

    static task<> watch(std::shared_ptr<run> self, event_stream events, child_observer tell)
    {
        exit_info last;
        last.was_ready = true;
        auto started = std::chrono::steady_clock::now();
        try
        {
            co_await tell_all(self, std::move(events), std::move(tell));
            last.cause = self->cause;
        }
        catch (const error& failure)
        {
            last.cause = exit_cause::children_failed;
            last.reason = failure.text();
        }
        catch (...) // what a function of its policies threw
        {
            last.cause = exit_cause::children_failed;
            last.reason = exception_text(std::current_exception());
        }
        last.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - started);
        self->ended.set(std::move(last));
    }

    static task<> stop_workers(std::shared_ptr<run> self) { co_await self->workers->stop(); }

    static task<> stop_workers_by(std::shared_ptr<run> self, stop_policy how)
    {
        co_await self->workers->stop(how);
    }

    static task<reload_report> reload_workers(std::shared_ptr<run> self)
    {
        auto report = co_await self->workers->reload();
        if (report.failure)
            report.failure->name = std::to_string(report.failure->slot);
        co_return report;
    }

    static task<bool> wait_ready(std::shared_ptr<run> self)
    {
        auto ready = co_await self->workers->ready();
        co_return ready;
    }

    static task<exit_info> wait_end(std::shared_ptr<run> self)
    {
        auto ended = co_await self->ended.get();
        co_return ended;
    }

    asio::any_io_executor executor_;
    factory make_;
    std::shared_ptr<run> run_;
};

} // namespace brood::detail
