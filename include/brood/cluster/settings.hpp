// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/dispatch_policy.hpp>
#include <brood/cluster/readiness.hpp>
#include <brood/cluster/restart_policy.hpp>
#include <brood/cluster/worker_output.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/service_manager.hpp>
#include <brood/process/spawn_options.hpp>
#include <brood/process/stop_policy.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace brood
{

/// How a worker is asked to end: close its channel and tell it to finish, 30 s later SIGTERM, 5 s
/// later SIGKILL to it and all that it started, which has 5 s to work.
stop_policy drain_policy(std::chrono::milliseconds drain = std::chrono::seconds(30));

/// When a worker whose loop stands still is given up: its loop has to come round at least once in
/// `stale_after`.
///
/// It is looked at what it did meanwhile. One that had no processor is spared, and so are all when
/// the primary itself stood still. `end` leaves time for a dump after SIGABRT.
struct watchdog
{
    static constexpr std::chrono::milliseconds usual_stale_after{10'000};

    std::chrono::milliseconds tick{1'000}; ///< How often its loop shows that it is alive.

    /// Zero turns the watchdog off. Of more than 125 workers elsewhere the usual time is 80 ms for
    /// each, 80 s for 1,000: they are asked more rarely the more there are. Any other time is kept.
    std::chrono::milliseconds stale_after = usual_stale_after;

    stop_policy end = default_end();

    /// Workers, by their numbers, that may let their loop stand still just now: they are spared.
    std::function<bool(std::uint64_t)> busy = {};

    bool on() const noexcept { return stale_after.count() > 0; }

    void check() const;

private:
    static stop_policy default_end();
};

/// When a worker that does no wrong is replaced all the same: its successor is ready before it is
/// asked to stop, one at a time, and it never counts as a failure.
///
/// A worker that wants to end after some amount of other work calls process::recycle().
struct recycling
{
    std::chrono::milliseconds max_age{0}; ///< Zero for any.
    std::size_t max_memory = 0;           ///< Bytes of resident memory; zero for any.
    std::uint64_t max_connections = 0;    ///< That its listeners have accepted; zero for any.
    double jitter = 0.1; ///< Age and connections are so much fewer or more by chance, so that
                         ///< workers of one start do not end together.
    std::chrono::milliseconds min_lifetime{10'000}; ///< None is recycled before.

    /// The limit for one worker: by chance, but always the same for it.
    double varied(double limit, std::uint64_t worker) const;

    void check() const;
};

/// Everything one can ask of a cluster; each default is what most servers want.
struct cluster_settings
{
    /// How many workers; 0 for one per processor that this process may use.
    std::size_t size = 0;

    /// For cluster<executable>: what the workers run.
    std::string program = {};
    arguments args = {};

    /// How each worker is started. A worker dies with its primary, and stands in a process group of
    /// its own, so that Ctrl-C is for the primary alone.
    spawn_options spawn = default_spawn();

    /// When it is started again.
    restart_policy restart = {};

    /// From its start to ready: one that takes longer is stopped, which counts as a failure. Until
    /// then the watchdog does not look at it.
    std::chrono::milliseconds start_within{60'000};

    /// What ready is.
    readiness ready_when = {};

    /// How it ends.
    stop_policy stop = drain_policy();

    /// When it hangs.
    brood::watchdog watchdog = {};

    /// When it has lived long enough.
    recycling recycle = {};

    /// Which worker gets the next connection.
    dispatch_policy dispatch = {};

    /// Where what it prints goes.
    worker_output output = {};

    /// Hears of each reload, whoever asks for it: RELOADING=1 when its turn has come, and READY=1
    /// when it is over, also when it failed and old workers go on; not when the cluster was stopped
    /// meanwhile. A manager that is gone is left alone. Everything else the program says itself.
    std::optional<service_manager> manager = {};

    /// The number of workers that this asks for.
    std::size_t workers() const;

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const;

private:
    static spawn_options default_spawn();
};

/// The defaults for workers that a launcher starts: as many as it has places for.
cluster_settings settings_for(std::shared_ptr<launcher> by);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/settings.ipp>
#endif
