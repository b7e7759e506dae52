// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/settings.hpp>
#include <brood/pool/call_options.hpp>
#include <brood/process/worker_limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace brood
{

/// Everything one can ask of a pool: what one can ask of a cluster, and how calls are treated.
///
/// Some of a cluster have other defaults here. What workers print is printed line by line, so that
/// worker_lost has the last of it. A worker that is asked to end finishes its calls, however long
/// they take; deadlines bound them.
struct pool_settings : cluster_settings
{
    /// When workers are started.
    enum class start
    {
        at_once,     ///< All of them, when the pool is made.
        when_needed, ///< One more whenever a call waits that no worker could take.
    };

    pool_settings();

    /// The same for workers that a launcher starts, as many as it has places for: `pool<fib>
    /// calls(brood::ssh({"n1", "n2"}))`.
    pool_settings(std::shared_ptr<brood::launcher> by);

    start when = start::at_once;

    /// The least number of workers. 0 for `size`; else the pool has as many as it needs between the
    /// two: one more when calls wait, one less when one has been idle for `idle_after`.
    std::size_t min_size = 0;

    std::chrono::milliseconds idle_after{30'000};

    /// How many calls a worker works on at once; 0 for 1 when the function is a plain one, which
    /// can do no more, and for 16 when it is a coroutine.
    std::size_t in_flight = 0;

    /// How many more calls a worker has at hand, so that it need not wait for the next one; one
    /// that has not begun can be taken back from it. 0 for as many as the time that calls take
    /// makes useful.
    std::size_t fetched_ahead = 0;

    /// How many calls may wait for a worker; further ones wait for room.
    std::size_t waiting = 1024;

    /// What is done with a call when its worker ends, unless the call says otherwise.
    brood::attempts attempts = at_most_once;

    /// How long a call that was asked to stop has to end, before its worker is killed.
    std::chrono::milliseconds grace{1'000};

    /// A worker is replaced when it has done so many calls, a few more or less by chance as
    /// `recycle.jitter` says; 0 for any number.
    std::uint64_t max_calls = 0;

    /// What a worker may still do, for calls with input that nobody trusts. It enters these limits
    /// before its first call, behind the constructor of the object whose member is called: that may
    /// read what is needed, but must not start a thread. The error of a call that breaks one says
    /// which, as worker_lost does when that ended the worker. Processor time is that of a worker's
    /// whole life; what one call may take is its deadline.
    std::optional<worker_limits> limits = std::nullopt;

    /// Throws std::invalid_argument, with the reason, for what cannot be meant; and for limits as
    /// worker_limits::check().
    void check() const;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/pool_settings.ipp>
#endif
