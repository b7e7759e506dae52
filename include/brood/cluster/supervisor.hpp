// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/supervision/supervised_cluster.hpp>
#include <brood/cluster/detail/supervision/supervised_worker.hpp>
#include <brood/cluster/detail/supervision/supervisor_core.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{

/// How a supervisor starts, watches and ends one child; as the settings of a cluster of that name.
struct child_settings
{
    /// Which of its own ends are followed by a new start.
    restart when = restart::permanent;

    spawn_options spawn = cluster_settings().spawn;
    std::chrono::milliseconds start_within = cluster_settings().start_within;
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
    explicit supervisor(strategy how = strategy::one_for_one, const restart_policy& policy = {})
        : supervisor(default_executor(), how, policy)
    {
    }

    explicit supervisor(asio::any_io_executor executor, strategy how = strategy::one_for_one,
                        const restart_policy& policy = {})
        : core_(std::make_shared<detail::supervisor_core>(executor, how, policy)),
          exits_(std::make_shared<detail::event_queue<exit_info>>(executor))
    {
    }

    supervisor(supervisor&&) noexcept = default;

    supervisor& operator=(supervisor&& other) noexcept
    {
        std::swap(core_, other.core_);
        std::swap(exits_, other.exits_);
        supervisor(std::move(other)).abandon();
        return *this;
    }

    ~supervisor() { abandon(); }

    /// Adds a worker that runs `Worker`, as for a cluster, with these arguments. Before start().
    /// Throws std::invalid_argument for a name that is empty, has a slash, or is taken.
    template <auto Worker, class... Args>
    supervisor& add(std::string name, const child_settings& settings = {}, Args&&... args)
    {
        auto launch = detail::launch_entry<Worker>(core_->executor(), std::forward<Args>(args)...);
        return add_worker(std::move(name), settings, std::move(launch));
    }

    /// Adds a worker that runs a program.
    supervisor& add(std::string name, const std::string& file, const arguments& args = {},
                    const child_settings& settings = {})
    {
        return add_worker(std::move(name), settings,
                          detail::launch_program(core_->executor(), file, args));
    }

    /// Adds a cluster; its worker in slot 2 is called "name/2". Throws what cluster::check()
    /// throws.
    template <auto Worker, class... Args>
    supervisor& add_cluster(std::string name, const cluster_settings& settings, Args... args)
    {
        cluster<Worker>::check(settings);
        auto executor = core_->executor();
        auto make = [executor, settings, args...]
        {
            return std::make_shared<cluster<Worker>>(executor, settings, args...);
        };
        return add_child(std::move(name), core_->policy(),
                         std::make_shared<detail::supervised_cluster<Worker>>(executor, make));
    }

    /// Adds a supervisor of others, that has not been started; its child "web" is called
    /// "name/web".
    supervisor& add(std::string name, supervisor nested)
    {
        nested.refuse_running("be added to another one");
        return add_child(std::move(name), core_->policy(), std::move(nested.core_));
    }

    /// Starts the children. Can be called again when all have ended.
    void start()
    {
        refuse_running("be started");
        if (exits_->has_ended)
            exits_ = std::make_shared<detail::event_queue<exit_info>>(core_->executor());
        core_->start([exits = exits_](const exit_info& ended) { exits->push(ended); });
        asio::co_spawn(core_->executor(), watch_end(core_, exits_), asio::detached);
    }

    /// Waits until every child can be given work; false when none is kept any more.
    task<bool> ready() { return core_->ready(); }

    /// The next end of a child, also of one further down, in their order. Nothing when none is kept
    /// any more. Throws errc::too_many_failures, with the last of the story, when that is how the
    /// supervisor ended.
    task<std::optional<exit_info>> exit() { return next_exit(core_, exits_); }

    /// Ends all children, and starts none again; returns when the last has ended.
    task<> stop() { return stop_all(core_); }

    /// The worker of that name, to talk to it or to end it: "web", "front/web", "pool/2". Throws
    /// std::out_of_range when there is none now.
    brood::worker worker(std::string_view path) const
    {
        if (auto found = core_->find(path))
            return *found;
        throw std::out_of_range("brood: supervisor: no worker is called \"" + std::string(path) +
                                '"');
    }

    /// The children, in their order.
    std::vector<child_info> children() const
    {
        std::vector<child_info> result;
        for (auto& each : core_->children())
        {
            result.push_back(
                {each->name, each->running, each->running && each->ready, each->starts, {}});
            auto one = each->what->find({});
            if (one && each->running)
                result.back().pid = one->pid();
        }
        return result;
    }

private:
    supervisor& add_worker(std::string name, const child_settings& wanted,
                           detail::worker_launcher launch)
    {
        cluster_settings settings;
        settings.size = 1;
        settings.spawn = wanted.spawn;
        settings.start_within = wanted.start_within;
        settings.stop = wanted.stop;
        settings.watchdog = wanted.watchdog;
        settings.output = wanted.output;
        if (wanted.output.where == worker_output::goes::read)
            throw std::invalid_argument("brood: supervisor: nobody reads the output of a child; "
                                        "have it printed");
        settings.check();
        auto policy = core_->policy();
        policy.when = wanted.when;
        return add_child(std::move(name), std::move(policy),
                         std::make_shared<detail::supervised_worker>(core_->executor(), settings,
                                                                     std::move(launch)));
    }

    supervisor& add_child(std::string name, restart_policy policy,
                          std::shared_ptr<detail::supervised> child)
    {
        refuse_running("be given another child");
        core_->add(std::move(name), std::move(child), std::move(policy));
        return *this;
    }

    void refuse_running(const char* what) const
    {
        if (core_->running())
            throw std::logic_error(std::string("brood: a supervisor that runs cannot ") + what);
    }

    void abandon() noexcept
    {
        if (auto last = std::exchange(core_, nullptr))
            last->stop(exit_cause::stopped);
    }

    static task<> watch_end(std::shared_ptr<detail::supervisor_core> core,
                            std::shared_ptr<detail::event_queue<exit_info>> exits)
    {
        co_await core->ended();
        exits->end();
    }

    static task<std::optional<exit_info>>
    next_exit(std::shared_ptr<detail::supervisor_core> core,
              std::shared_ptr<detail::event_queue<exit_info>> exits)
    {
        auto next = co_await detail::event_queue<exit_info>::next(exits);
        if (next)
            co_return next;
        auto last = co_await core->ended();
        if (last.failed())
            throw error(errc::too_many_failures, "the supervisor gave up: " + last.reason);
        co_return std::nullopt;
    }

    static task<> stop_all(std::shared_ptr<detail::supervisor_core> core)
    {
        core->stop(exit_cause::stopped);
        if (core->running())
            co_await core->ended();
    }

    std::shared_ptr<detail::supervisor_core> core_;
    std::shared_ptr<detail::event_queue<exit_info>> exits_;
};

} // namespace brood
