// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/child_event.hpp>
#include <brood/cluster/exit_info.hpp>
#include <brood/cluster/rolling.hpp>
#include <brood/cluster/supervisor_stats.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/stop_policy.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace brood::detail
{

class supervisor_core;

/// Who hears of what happens inside a supervised child; an empty name is its own.
using child_observer = std::function<void(child_event)>;

/// Something that a supervisor keeps alive, and can start again: a worker, a cluster, or a
/// supervisor of others. What it waits for stays valid when it is started again meanwhile.
class supervised
{
public:
    supervised() = default;
    supervised(const supervised&) = delete;
    supervised& operator=(const supervised&) = delete;
    virtual ~supervised() = default;

    /// Starts it. What cannot be started has ended when this returns. Its own end is not told.
    virtual void start(child_observer tell) = 0;

    /// Waits until it can be given work: true; false when it ended before.
    virtual task<bool> ready() = 0;

    /// Waits for its end. An id of 0 and no failure: it has nothing left to do.
    virtual task<exit_info> ended() = 0;

    /// Asks it to end, and makes it.
    virtual void stop(exit_cause cause) = 0;

    /// Makes it end by a policy, whatever was asked of it before.
    virtual void hasten(const stop_policy& how) = 0;

    /// Replaces its workers by new ones, while it runs.
    virtual task<reload_report> reload() = 0;

    /// Its figures: those of a worker beside its name, those of others by themselves.
    virtual void measure(child_stats& own, std::vector<child_stats>& inside) = 0;

    /// The worker with that name in it, as a path; nothing when there is none.
    virtual std::optional<worker> find(std::string_view path) = 0;

    /// Itself, when it has children with names of their own.
    virtual std::shared_ptr<supervisor_core> as_supervisor() { return nullptr; }
};

} // namespace brood::detail
