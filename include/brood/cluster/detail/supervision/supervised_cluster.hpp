// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/internal/exception_text.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/detail/supervision/supervised.hpp>

#include <charconv>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

    void start(end_observer on_end) override
    {
        run_ = std::make_shared<run>(executor_);
        run_->workers = make_();
        asio::co_spawn(executor_, watch(run_, std::move(on_end)), asio::detached);
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

    static task<> watch(std::shared_ptr<run> self, end_observer on_end)
    {
        exit_info last;
        last.was_ready = true;
        auto started = std::chrono::steady_clock::now();
        try
        {
            while (auto ended = co_await self->workers->exit())
            {
                ended->name = std::to_string(ended->slot);
                on_end(*ended);
            }
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
