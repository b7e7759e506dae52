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
        ended,    ///< Has ended by itself, and the policy has not been asked.
        resting,  ///< Has done its work, but is started again with others.
        parked,   ///< Is not started again by itself.
    };

    child_record(std::string its_name, std::shared_ptr<supervised> it, restart_policy its_policy)
        : name(std::move(its_name)), what(std::move(it)), policy(std::move(its_policy))
    {
    }

    bool runs() const noexcept
    {
        return now == phase::starting || now == phase::ready || now == phase::ending ||
               now == phase::leaving;
    }

    /// Whether it runs and can be given work, or needs not run any more.
    bool settled() const noexcept
    {
        return now == phase::ready || now == phase::leaving || now == phase::resting ||
               now == phase::parked;
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

    /// Its process, or the last of them, has ended. Gives whether that was its own end.
    bool end()
    {
        auto taken_down = now == phase::ending || now == phase::leaving;
        now = !taken_down ? phase::ended : now == phase::ending ? phase::waiting : phase::parked;
        return !taken_down;
    }

    std::string name;
    std::shared_ptr<supervised> what;
    restart_policy policy;
    failure_history failures;
    std::size_t starts = 0;
    phase now = phase::waiting;
};

} // namespace brood::detail
