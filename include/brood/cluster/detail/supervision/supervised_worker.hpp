// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/cluster/detail/core/worker_figures.hpp>
#include <brood/cluster/detail/core/workforce.hpp>
#include <brood/cluster/detail/supervision/supervised.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// One worker, which keeps its ports while it is started again.
class supervised_worker : public supervised, public std::enable_shared_from_this<supervised_worker>
{
public:
    supervised_worker(asio::any_io_executor executor, const cluster_settings& settings,
                      worker_launcher launch, std::string name)
        : executor_(executor), reload_over_(executor),
          workforce_(
              std::make_shared<workforce>(executor, settings, std::move(launch), std::move(name)))
    {
    }

    ~supervised_worker() override { workforce_->close(); }

    void start(child_observer tell) override
    {
        tell_ = std::move(tell);
        workforce_->events().keep_told(
            [tell = tell_](const cluster_event& event) {
                tell({event.what, {}, event.worker, event.text, event.ended});
            });
        ended_ = std::make_shared<shared_result<exit_info>>(executor_);
        worker_ = workforce_->start(0, {});
        watch(worker_);
    }

    task<bool> ready() override { return wait_ready(worker_); }

    task<exit_info> ended() override { return wait_end(ended_); }

    void stop(exit_cause cause) override
    {
        for (auto& each : {worker_, candidate_})
            if (each)
                workforce_->stop(each, cause, true);
    }

    void hasten(const stop_policy& how) override
    {
        for (auto& each : workforce_->living())
            workforce_->hasten(each, how);
    }

    // Who waits may be cancelled: a new worker must not be forgotten then.
    task<reload_report> reload() override
    {
        auto report = std::make_shared<shared_result<reload_report>>(executor_);
        asio::co_spawn(executor_, replace(shared_from_this(), report), asio::detached);
        return wait_report(std::move(report));
    }

    void measure(child_stats& own, std::vector<child_stats>&) override
    {
        if (!worker_)
            return;
        workforce_->traffic().look();
        own.worker = figures_of(*workforce_, *worker_, std::chrono::steady_clock::now());
        own.worker->starts = own.starts;
        own.worker->failures = own.failures;
    }

    std::optional<worker> find(std::string_view path) override
    {
        if (!path.empty() || !worker_)
            return std::nullopt;
        return worker(worker_);
    }

private:
    void watch(const std::shared_ptr<worker_core>& one)
    {
        asio::co_spawn(executor_, watch_end(shared_from_this(), one, ended_), asio::detached);
    }

    // Its end is ours, unless another one has taken its place, or never came to have it.
    static task<> watch_end(std::shared_ptr<supervised_worker> self,
                            std::shared_ptr<worker_core> one,
                            std::shared_ptr<shared_result<exit_info>> ours)
    {
        auto ended = co_await one->ended.get();
        ++one->history->exits[static_cast<std::size_t>(ended.cause)];
        if (self->worker_ != one)
        {
            self->tell_({child_event::kind::exit, {}, worker(one), {}, ended});
            co_return;
        }
        while (auto other = self->candidate_)
        {
            self->workforce_->stop(other, exit_cause::taken_down, true);
            co_await self->reload_over_.wait();
        }
        ours->set(std::move(ended));
    }

    // The new one beside the old one, which is asked to stop when the new one is ready.
    static task<> replace(std::shared_ptr<supervised_worker> self,
                          std::shared_ptr<shared_result<reload_report>> result)
    {
        while (self->candidate_)
            co_await self->reload_over_.wait();
        reload_report report;
        report.stopped = !self->goes_on();
        if (!report.stopped)
            report = co_await replace_one(self);
        result->set(std::move(report));
    }

    static task<reload_report> replace_one(std::shared_ptr<supervised_worker> self)
    {
        reload_report report;
        auto before = self->worker_;
        auto fresh = self->workforce_->start(0, {});
        self->candidate_ = fresh;
        self->watch(fresh);
        auto ready = co_await fresh->ready.get();
        if (ready && self->goes_on())
        {
            self->worker_ = fresh;
            self->workforce_->stop(before, exit_cause::replaced);
            co_await before->ended.get();
            report.replaced = 1;
        }
        else
        {
            self->workforce_->stop(fresh, exit_cause::scaled_down, true);
            auto ended = co_await fresh->ended.get();
            report.stopped = !self->goes_on();
            if (!report.stopped)
                report.failure = ended;
        }
        self->candidate_ = nullptr;
        self->reload_over_.post_all();
        co_return report;
    }

    bool goes_on() const { return worker_ && !worker_->has(worker_state::draining); }

    static task<reload_report> wait_report(std::shared_ptr<shared_result<reload_report>> of)
    {
        auto report = co_await of->get();
        co_return report;
    }

    // Whoever asks may know of its end before those who keep it.
    static task<bool> wait_ready(std::shared_ptr<worker_core> one)
    {
        auto was_ready = co_await one->ready.get();
        co_return was_ready && !one->ended.ready();
    }

    static task<exit_info> wait_end(std::shared_ptr<shared_result<exit_info>> of)
    {
        auto ended = co_await of->get();
        co_return ended;
    }

    asio::any_io_executor executor_;
    wait_queue reload_over_;
    std::shared_ptr<workforce> workforce_;
    child_observer tell_;
    std::shared_ptr<worker_core> worker_;
    std::shared_ptr<worker_core> candidate_; // to take its place
    std::shared_ptr<shared_result<exit_info>> ended_;
};

} // namespace brood::detail
