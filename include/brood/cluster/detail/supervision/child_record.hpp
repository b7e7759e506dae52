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
    child_record(std::string its_name, std::shared_ptr<supervised> it, restart_policy its_policy)
        : name(std::move(its_name)), what(std::move(it)), policy(std::move(its_policy))
    {
    }

    /// Whether it runs and can be given work, or needs not run any more.
    bool settled() const noexcept { return !kept || resting || (running && ready); }

    /// A new life of the supervisor begins.
    void forget()
    {
        failures = {};
        kept = true;
        resting = undecided = false;
    }

    std::string name;
    std::shared_ptr<supervised> what;
    restart_policy policy;
    failure_history failures;
    std::size_t starts = 0;
    bool running = false;
    bool ready = false;
    bool taken_down = false; // its end is not its own
    bool undecided = false;  // it has ended by itself, and the policy has not been asked
    bool resting = false;    // it has done its work, but is started again with others
    bool kept = true;        // false once it is not started again
};

} // namespace brood::detail
