// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/child_event.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/strategy.hpp>
#include <brood/cluster/supervisor_stats.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{

namespace detail
{

class supervised;
class supervisor_core;

template <class Event>
class observers;

} // namespace detail

/// How a supervisor starts, watches and ends one child; as the settings of a cluster of that name.
struct child_settings
{
    /// Which of its own ends are followed by a new start.
    restart when = restart::permanent;

    /// Its own in place of those of the supervisor: how many failures are borne, how long it waits
    /// after each, and what happens then; on_limit::park keeps the others, on_limit::exit is for a
    /// whole supervisor.
    std::optional<restart_limit> limit = {};
    std::optional<backoff> delay = {};
    std::optional<brood::on_limit> on_limit = {};

    spawn_options spawn = cluster_settings().spawn;
    std::chrono::milliseconds start_within = cluster_settings().start_within;
    readiness ready_when = {};
    stop_policy stop = cluster_settings().stop;
    brood::watchdog watchdog = {};
    worker_output output = {}; ///< Unchanged, or printed: a supervisor has no reader for it.
};

/// A child of a supervisor, as it is at this moment.
struct child_info
{
    std::string name;
    bool running = false;
    bool ready = false;       ///< Runs, and can be given work.
    std::size_t starts = 0;   ///< How often it has been started.
    std::optional<pid_t> pid; ///< Of a worker that runs.
};

/// Keeps different children alive that may need each other: workers, clusters, and supervisors of
/// others, as deep as one likes.
///
/// Children are started in the order they were added, each when the one before is ready, and ended
/// in the opposite order; with strategy::one_for_one all at once. When one ends, its restart policy
/// is asked, and the strategy says which others are restarted with it. A supervisor that fails
/// more often than its policy allows ends its children: a nested one has then failed itself, and
/// the one above decides. Destroyed, it ends its children in the background of the loop. Belongs to
/// one executor. Follows Erlang/OTP: https://www.erlang.org/doc/apps/stdlib/supervisor.html
class supervisor
{
public:
    /// The limits of the policy are for one child and for all children together.
    explicit supervisor(strategy how = strategy::one_for_one, const restart_policy& policy = {});

    explicit supervisor(asio::any_io_executor executor, strategy how = strategy::one_for_one,
                        const restart_policy& policy = {});

    supervisor(supervisor&&) noexcept;
    supervisor& operator=(supervisor&& other) noexcept;
    ~supervisor();

    /// Adds a worker that runs `Worker`, as for a cluster, with these arguments. Before start().
    /// Throws std::invalid_argument for a name that is empty, has a slash, or is taken.
    template <auto Worker, class... Args>
    supervisor& add(std::string name, const child_settings& settings = {}, Args&&... args)
    {
        auto launch = detail::launch_entry<Worker>(executor(), std::forward<Args>(args)...);
        return add_worker(std::move(name), settings, std::move(launch));
    }

    /// Adds a worker that runs a program, which need not know of brood: see `ready_when`.
    supervisor& add(std::string name, const std::string& file, const arguments& args = {},
                    const child_settings& settings = {});

    /// Adds a cluster; its worker in slot 2 is called "name/2". Throws what cluster::check()
    /// throws.
    template <auto Worker, class... Args>
    supervisor& add_cluster(std::string name, const cluster_settings& settings, Args... args)
    {
        cluster<Worker>::check(settings);
        auto make = [on = executor(), settings, args...]
        {
            return std::make_shared<cluster<Worker>>(on, settings, args...);
        };
        return add_workers(std::move(name), std::move(make));
    }

    /// Adds a supervisor of others, that has not been started; its child "web" is called
    /// "name/web".
    supervisor& add(std::string name, supervisor nested);

    /// Starts the children. Can be called again when all have ended.
    void start();

    /// Waits until every child can be given work; false when none is kept any more.
    task<bool> ready();

    /// The next end of a child, also of one further down, in their order. Nothing when none is kept
    /// any more. Throws errc::too_many_failures, with the last of the story, when that is how the
    /// supervisor ended.
    task<std::optional<exit_info>> exit();

    /// Why the supervisor ended, when it failed: what exit() throws. Null as long as it has not.
    std::exception_ptr failure() const noexcept;

    /// Stops all children, and starts none again; returns when the last has ended.
    task<> stop();

    /// The same in another way, all at once, also for those that are being asked already.
    task<> stop(const stop_policy& how);

    // ---- One child, by its name: "web", "front/web"; the others are not touched, whatever the
    // ---- strategy. Each throws std::out_of_range, not awaited, when no child is called so;
    // ---- workers of a cluster are worker()s.

    /// Stops it; it is not started again, alone or with others, until it is started by name, or
    /// the whole supervisor is. The supervisor goes on, also without another child. Cancelled, only
    /// the wait ends.
    task<> stop(std::string_view path);

    /// Starts it, whatever became of it; its failures are forgotten. True when it can be given
    /// work, at once if it runs; false when it is not kept. Throws std::logic_error when its
    /// supervisor does not run.
    task<bool> start(std::string_view path);

    /// stop() and start(): with a gap, in which nobody is there. Cancelled in between, it stays
    /// stopped.
    task<bool> restart(std::string_view path);

    /// Replaces its workers by new ones, without a gap, as any_cluster::reload() does: a worker
    /// when the new one is ready, a cluster one by one, a supervisor child by child. When a new one
    /// fails, the old one goes on. Cancelled, only the wait ends, and what is being replaced is.
    task<reload_report> reload(std::string_view path);

    /// The same for all children, in their order; the first that fails ends it.
    task<reload_report> reload();

    /// Everything that happens to children from now on, for one more observer. Ends with the
    /// supervisor.
    child_event_stream events();

    /// Figures of each child, and of those inside it: counted from the beginning, or measured in
    /// this call.
    supervisor_stats stats() const;

    asio::any_io_executor executor() const;

    /// The worker of that name, to talk to it or to end it: "web", "front/web", "pool/2". Throws
    /// std::out_of_range when there is none now.
    brood::worker worker(std::string_view path) const;

    /// The children, in their order.
    std::vector<child_info> children() const;

private:
    supervisor& add_worker(std::string name, const child_settings& wanted,
                           detail::worker_launcher launch, const std::string& program = {});
    supervisor& add_workers(std::string name, std::function<std::shared_ptr<any_cluster>()> make);
    supervisor& add_child(std::string name, restart_policy policy,
                          std::shared_ptr<detail::supervised> child);
    void refuse_running(const char* what) const;
    void abandon() noexcept;

    std::shared_ptr<detail::supervisor_core> core_;
    std::shared_ptr<detail::event_queue<exit_info>> exits_;
    std::shared_ptr<detail::observers<child_event>> observers_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/supervisor.ipp>
#endif
