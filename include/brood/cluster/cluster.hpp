// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/internal/worker_launcher.hpp>
#include <brood/cluster/message_stream.hpp>
#include <brood/cluster/rolling.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/cluster/stats.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace brood
{

namespace detail
{

class cluster_core;
class rolling;

struct executable
{
};

} // namespace detail

/// What to write in place of a function when the workers of a cluster run a program of their own:
/// `cluster<executable> workers(settings)`, with `settings.program`.
inline constexpr detail::executable executable{};

/// Workers that are kept alive, whatever they run: what every `cluster<Worker>` can do.
///
/// Each worker has a slot. When it ends, the restart policy is asked, and its successor takes over
/// the slot. Workers share the ports they listen on, which the cluster keeps open while they come
/// and go. Destroyed, the cluster stops its workers in the background of the loop. Belongs to one
/// executor. Follows Node's cluster: https://nodejs.org/api/cluster.html
class any_cluster
{
public:
    any_cluster(any_cluster&&) noexcept;
    any_cluster& operator=(any_cluster&& other) noexcept;
    ~any_cluster();

    /// Starts one more worker in a slot of its own, with further variables in its environment.
    /// Throws std::logic_error when the cluster was stopped or has ended.
    worker fork(std::map<std::string, std::string> variables = {});

    /// The workers that live now, by slot.
    std::vector<worker> workers() const;

    /// The one with this id; nothing when it has ended, or never was.
    std::optional<worker> worker_with_id(std::uint64_t id) const;

    /// The one that has this slot; nothing while that is empty.
    std::optional<worker> worker_in_slot(std::size_t slot) const;

    asio::any_io_executor executor() const;

    /// How many workers are wanted.
    std::size_t size() const noexcept;

    /// Figures of each worker and of all: counted from the beginning, or measured in this call.
    cluster_stats stats() const;

    /// Waits until every slot has a worker that can be given work. False when none is kept any
    /// more.
    task<bool> ready();

    /// The next end of a worker, in their order; the restart policy has been asked already. Nothing
    /// when no worker is kept any more. None of the last 65,536 is missed, whenever it is awaited;
    /// when these printed more than 16 MiB last, the oldest are told without it. Throws
    /// errc::too_many_failures, with the last of the story, when that is how the cluster ended; or
    /// what the function of dispatch_policy::chosen threw.
    task<std::optional<exit_info>> exit();

    /// Why the cluster ended, when it failed: what exit() throws. Null as long as it has not.
    std::exception_ptr failure() const noexcept;

    /// The next message of any worker, of those that live now or come later: one of each in turn.
    /// Nothing when no worker is kept any more. A message is taken once, here or by
    /// worker::message(). Throws for a message of another type, which stays.
    template <class... Messages>
    task<std::optional<message_from<detail::one_of_t<Messages...>>>> message()
    {
        return detail::next_message<Messages...>(inbox());
    }

    /// The same for any number of observers: each gets every message that is taken from now on.
    template <class... Messages>
    message_stream<Messages...> messages()
    {
        using stream = message_stream<Messages...>;
        using queue = detail::message_queue<typename stream::message>;
        auto mine = std::make_shared<queue>(hub_of(typeid(stream)));
        detail::add_observer(mine);
        return stream(std::move(mine));
    }

    /// Sends a message to every worker that lives and has its channel, and gives how many those
    /// are.
    template <class Message>
    std::size_t send(const Message& message) const
    {
        std::size_t count = 0;
        for (auto& each : workers())
        {
            if (!each.connected())
                continue;
            each.send(message);
            ++count;
        }
        return count;
    }

    /// The next line that any worker prints, with `settings.output.where` set to
    /// worker_output::goes::read. Nothing when no worker is kept any more.
    task<std::optional<output_line>> line();

    /// Takes this worker away for good, and its slot with it: one worker less is wanted. It is
    /// asked to stop as the settings say; tells how it ended. A reload or another change of size
    /// comes first. Without effect, but for the wait, on one whose slot another worker has by now.
    task<exit_info> retire(const worker& one);

    /// Everything that happens from now on, for one more observer.
    event_stream events();

    /// Stops all workers as the settings say, and starts none again. Ends after the last of them
    /// has. The ports close: who is connected is accepted before, who comes later is refused.
    /// Calling it again waits for the same.
    task<> stop();

    /// The same in another way, also for those that are being asked already.
    task<> stop(const stop_policy& how);

    /// Replaces all workers by new ones, one after the other: the old one is asked to stop when the
    /// new one is ready, so that there are never fewer than wanted, and the next one follows when
    /// it has ended, so that there is never more than one process more. The first new one that
    /// fails ends it, and the old ones that are left go on. A second call waits for its turn. A
    /// stop ends it. Cancelled, only the wait ends, and the reload goes on.
    task<reload_report> reload(const reload_options& options = {});

    /// Adds workers, in the lowest slots that are free, or takes some away, until there are so
    /// many. Waits until the new ones are ready or have failed, and those taken away have ended. A
    /// reload or another change of size comes first; after a stop it does nothing.
    task<> scale(std::size_t size, scale_down which = scale_down::youngest);

protected:
    any_cluster(asio::any_io_executor executor, const cluster_settings& settings,
                detail::worker_launcher launch);

    static void check(const cluster_settings& settings, bool runs_program);

    task<reload_report> reload_by(const std::string& file, const reload_options& options);

private:
    const std::shared_ptr<detail::inbox>& inbox();
    const std::shared_ptr<detail::message_hub>& hub_of(const std::type_info& messages);
    void abandon() noexcept;

    std::shared_ptr<detail::cluster_core> core_;
    std::shared_ptr<detail::rolling> rolling_;
};

/// Workers that are kept alive: processes that run `Worker`, a function or captureless lambda
/// `task<>(process&, Args...)`, or another program.
template <auto Worker>
class cluster : public any_cluster
{
    static constexpr bool runs_program =
        std::same_as<std::remove_cvref_t<decltype(Worker)>, detail::executable>;

public:
    /// Throws std::invalid_argument, with the reason, for settings of which no such cluster can be
    /// made.
    static void check(const cluster_settings& settings)
    {
        any_cluster::check(settings, runs_program);
    }

    /// Starts the workers. `args` are sent to each, behind its `process&`. Throws what check()
    /// throws.
    template <class... Args>
    explicit cluster(const cluster_settings& settings = {}, Args&&... args)
        : cluster(default_executor(), settings, std::forward<Args>(args)...)
    {
    }

    template <class... Args>
    explicit cluster(asio::any_io_executor executor, const cluster_settings& settings = {},
                     Args&&... args)
        : any_cluster(executor, settings, launcher(executor, settings, std::forward<Args>(args)...))
    {
    }

    /// The same for workers that a launcher starts, with settings_for() it: `cluster<serve>
    /// workers(brood::ssh({"n1", "n2"}))`.
    template <class... Args>
    explicit cluster(std::shared_ptr<brood::launcher> by, Args&&... args)
        : cluster(settings_for(std::move(by)), std::forward<Args>(args)...)
    {
    }

    using any_cluster::reload;

    /// The same with another program from here on, for cluster<executable>. When its first worker
    /// fails, the program stays what it was.
    task<reload_report> reload(const std::string& file,
                               const reload_options& options = {}) requires runs_program
    {
        return reload_by(file, options);
    }

private:
    template <class... Args>
    static detail::worker_launcher launcher(asio::any_io_executor executor,
                                            const cluster_settings& settings, Args&&... args)
    {
        check(settings);
        if constexpr (runs_program)
        {
            static_assert(sizeof...(Args) == 0,
                          "brood: arguments of a program are in its settings");
            return detail::launch_program(executor, settings.program, settings.args);
        }
        else
        {
            return detail::launch_entry<Worker>(executor, std::forward<Args>(args)...);
        }
    }
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/cluster.ipp>
#endif
