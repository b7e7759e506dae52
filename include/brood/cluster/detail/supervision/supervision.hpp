// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/internal/exception_text.hpp>
#include <brood/base/internal/random_fraction.hpp>
#include <brood/cluster/detail/supervision/child_record.hpp>
#include <brood/cluster/strategy.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace brood::detail
{

/// What all children of a supervisor share: its strategy and policy, whether it is to end, and who
/// hears of it.
struct supervision
{
    supervision(asio::any_io_executor on, strategy which, restart_policy its_policy)
        : executor(on), how(which), policy(std::move(its_policy)), changed(std::move(on))
    {
        policy.check();
    }

    /// It begins, perhaps again.
    void begin(child_observer who)
    {
        observer = std::move(who);
        failures = {};
        failure.clear();
        stopping = false;
        started = std::chrono::steady_clock::now();
    }

    /// From here on nothing is started.
    void stop(exit_cause why)
    {
        if (std::exchange(stopping, true))
            return;
        cause = why;
        changed.post_all();
    }

    /// Children failed too often, this one last.
    void fail(const exit_info& last)
    {
        if (stopping)
            return;
        failure = "its children failed more often than its restart policy allows; the last was " +
                  to_string(last);
        stop(exit_cause::children_failed);
    }

    /// Something happened to a child, or inside it.
    void tell(child_event event)
    {
        auto is_worker = event.ended && event.ended->id != 0;
        if (event.what == child_event::kind::fork)
            ++starts;
        if (event.what == child_event::kind::exit && is_worker)
        {
            ++exits;
            worker_failures += event.ended->failed() ? 1U : 0U;
            starts += event.ended->cause == exit_cause::start_failed ? 1U : 0U;
        }
        if (observer)
            observer(std::move(event));
    }

    restart_decision decide(child_record& child, const exit_info& ended)
    {
        auto has_nothing_left_to_do = ended.id == 0 && !ended.failed();
        if (has_nothing_left_to_do)
            return {restart_decision::action::leave, {}};
        try
        {
            return child.policy.decide(ended, child.failures, failures,
                                       std::chrono::steady_clock::now(), random_fraction());
        }
        catch (...)
        {
            failure = "the function of its restart policy threw: " +
                      exception_text(std::current_exception());
            stop(exit_cause::children_failed);
            return {restart_decision::action::leave, {}};
        }
    }

    /// Waits before a restart; a stop is not kept waiting by it.
    task<> pause(std::chrono::milliseconds wait)
    {
        auto until = time_from_now(wait);
        auto in_time = std::chrono::steady_clock::now() < until;
        while (in_time && !stopping)
            in_time = co_await changed.wait_until(until);
    }

    /// Its own end, once that of all children has come.
    exit_info end() const
    {
        exit_info ended;
        ended.was_ready = true;
        ended.cause = stopping ? cause : exit_cause::exited;
        ended.reason = failure;
        ended.uptime = uptime();
        return ended;
    }

    /// Since it began, the last time; zero before it did.
    std::chrono::milliseconds uptime() const
    {
        if (started == std::chrono::steady_clock::time_point())
            return std::chrono::milliseconds(0);
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - started);
    }

    asio::any_io_executor executor;
    strategy how;
    restart_policy policy;
    failure_history failures; // of all children
    child_observer observer;
    wait_queue changed; // any start, end, or stop
    std::chrono::steady_clock::time_point started;
    std::size_t starts = 0; // of workers, at any depth, from the beginning
    std::size_t exits = 0;
    std::size_t worker_failures = 0;
    std::string failure; // why it failed, when it did
    exit_cause cause = exit_cause::exited;
    bool stopping = false;
};

} // namespace brood::detail
