// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/supervision/supervised.hpp>
#include <brood/cluster/restart_policy.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace brood::detail
{

class restart_group;

/// A child of a supervisor, and what it remembers of it.
struct child_record
{
    enum class phase
    {
        waiting,  ///< Does not run, and is to be started.
        starting, ///< Runs.
        ready,    ///< Runs, and can be given work.
        ending,   ///< Is being taken down, to be started again.
        leaving,  ///< Is being taken down for good.
        halting,  ///< Is being stopped by name.
        ended,    ///< Has ended by itself, and the policy has not been asked.
        resting,  ///< Has done its work, but is started again with others.
        stopped,  ///< Was stopped by name.
        parked,   ///< Is not started again by itself.
    };

    child_record(std::string its_name, std::shared_ptr<supervised> it, restart_policy its_policy)
        : name(std::move(its_name)), what(std::move(it)), policy(std::move(its_policy))
    {
    }

    bool runs() const noexcept
    {
        return now == phase::starting || now == phase::ready || is_being_stopped();
    }

    bool is_being_stopped() const noexcept
    {
        return now == phase::ending || now == phase::leaving || now == phase::halting;
    }

    /// Whether somebody may still want it to run.
    bool kept() const noexcept { return runs() || now == phase::stopped; }

    /// Whether it runs and can be given work, or needs not run any more.
    bool settled() const noexcept
    {
        return now == phase::ready || now == phase::leaving || now == phase::halting ||
               now == phase::resting || now == phase::stopped || now == phase::parked;
    }

    /// Whether it is started when its group is.
    bool wants_start() const noexcept
    {
        return now == phase::waiting || now == phase::ended || now == phase::resting;
    }

    /// A new life of the supervisor begins.
    void forget()
    {
        failures = {};
        now = phase::waiting;
    }

    /// It is stopped by name: not started again but by name.
    void halt()
    {
        auto runs_on = now == phase::starting || now == phase::ready;
        if (runs_on || now == phase::ending)
            now = phase::halting;
        else if (!runs() && now != phase::parked)
            now = phase::stopped;
        if (runs_on)
            what->stop(exit_cause::stopped);
    }

    /// Its process, or the last of them, has ended. Gives whether that was its own end.
    bool end()
    {
        auto before = now;
        now = before == phase::ending    ? phase::waiting
              : before == phase::leaving ? phase::parked
              : before == phase::halting ? phase::stopped
                                         : phase::ended;
        return now == phase::ended;
    }

    child_state state() const noexcept
    {
        switch (now)
        {
        case phase::waiting:
            return child_state::waiting;
        case phase::starting:
            return child_state::starting;
        case phase::ready:
            return child_state::ready;
        case phase::ending:
        case phase::leaving:
        case phase::halting:
            return child_state::draining;
        case phase::ended:
            return child_state::ended;
        case phase::resting:
            return child_state::done;
        case phase::stopped:
            return child_state::stopped;
        case phase::parked:
            break;
        }
        return child_state::parked;
    }

    std::string name;
    std::shared_ptr<supervised> what;
    restart_policy policy;
    failure_history failures;
    std::size_t starts = 0;
    std::size_t failed = 0;             // of those
    std::weak_ptr<restart_group> group; // that keeps it
    phase now = phase::waiting;
};

} // namespace brood::detail
