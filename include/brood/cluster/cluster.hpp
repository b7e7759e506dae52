// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/core/cluster_core.hpp>
#include <brood/cluster/detail/core/worker_launcher.hpp>
#include <brood/cluster/message_stream.hpp>
#include <brood/cluster/rolling.hpp>
#include <brood/cluster/settings.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

namespace brood
{

namespace detail
{

struct executable
{
};

} // namespace detail

/// What to write in place of a function when the workers of a cluster run a program of their own:
/// `cluster<executable> workers(settings)`, with `settings.program`.
inline constexpr detail::executable executable{};

/// Workers that are kept alive: processes that run `Worker`, a function or captureless lambda
/// `task<>(process&, Args...)`, or another program.
///
/// Each worker has a slot. When it ends, the restart policy is asked, and its successor takes over
/// the slot. Workers share the ports they listen on, which the cluster keeps open while they come
/// and go. Destroyed, the cluster stops its workers in the background of the loop. Belongs to one
/// executor. Follows Node's cluster: https://nodejs.org/api/cluster.html
template <auto Worker>
class cluster
{
    static constexpr bool runs_program =
        std::same_as<std::remove_cvref_t<decltype(Worker)>, detail::executable>;

public:
    /// Throws std::invalid_argument, with the reason, for settings of which no such cluster can be
    /// made.
    static void check(const cluster_settings& settings)
    {
        settings.check();
        if (runs_program && settings.program.empty())
            throw std::invalid_argument("brood: cluster settings: a cluster<executable> needs a "
                                        "program, and settings.program is empty");
        if (!runs_program && (!settings.program.empty() || !settings.args.list().empty()))
            throw std::invalid_argument("brood: cluster settings: settings.program is for "
                                        "cluster<executable>, as are settings.args");
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
        : core_(std::make_shared<detail::cluster_core>(
              executor, settings, launcher(executor, settings, std::forward<Args>(args)...))),
          rolling_(std::make_shared<detail::rolling>(core_))
    {
        for (std::size_t count = settings.workers(); count != 0; --count)
            core_->add();
        asio::co_spawn(executor, detail::rolling::recycle(rolling_), asio::detached);
        asio::co_spawn(executor, detail::cluster_core::fail_with_ports(core_), asio::detached);
    }

    cluster(cluster&&) noexcept = default;

    cluster& operator=(cluster&& other) noexcept
    {
        std::swap(core_, other.core_);
        std::swap(rolling_, other.rolling_);
        std::swap(inbox_, other.inbox_);
        std::swap(message_hubs_, other.message_hubs_);
        cluster(std::move(other)).abandon();
        return *this;
    }

    ~cluster() { abandon(); }

    /// Starts one more worker in a slot of its own, with further variables in its environment.
    /// Throws std::logic_error when the cluster was stopped or has ended.
    worker fork(std::map<std::string, std::string> variables = {})
    {
        return worker(core_->add(std::move(variables))->worker);
    }

    /// The workers that live now, by slot.
    std::vector<worker> workers() const
    {
        std::vector<worker> result;
        for (auto& slot : core_->slots())
            if (!slot->worker->has(worker_state::ended))
                result.emplace_back(slot->worker);
        return result;
    }

    /// The one with this id; nothing when it has ended, or never was.
    std::optional<worker> worker_with_id(std::uint64_t id) const
    {
        return find([id](const worker& each) { return each.id() == id; });
    }

    /// The one that has this slot; nothing while that is empty.
    std::optional<worker> worker_in_slot(std::size_t slot) const
    {
        return find([slot](const worker& each) { return each.slot() == slot; });
    }

    asio::any_io_executor executor() const { return core_->executor(); }

    /// How many workers are wanted.
    std::size_t size() const noexcept { return core_->slots().size(); }

    /// Figures of each worker and of all: counted from the beginning, or measured in this call.
    cluster_stats stats() const { return core_->stats(); }

    /// Waits until every slot has a worker that can be given work. False when none is kept any
    /// more.
    task<bool> ready() { return detail::cluster_core::ready(core_); }

    /// The next end of a worker, in their order; the restart policy has been asked already. Nothing
    /// when no worker is kept any more. None is missed, whenever it is awaited. Throws
    /// errc::too_many_failures, with the last of the story, when that is how the cluster ended; or
    /// what the function of dispatch_policy::chosen threw.
    task<std::optional<exit_info>> exit() { return detail::cluster_core::next_exit(core_); }

    /// The next message of any worker, of those that live now or come later: one of each in turn.
    /// Nothing when no worker is kept any more. A message is taken once, here or by
    /// worker::message(). Throws for a message of another type, which stays.
    template <class... Messages>
    task<std::optional<message_from<detail::one_of_t<Messages...>>>> message()
    {
        return detail::inbox::next<Messages...>(inbox());
    }

    /// The same for any number of observers: each gets every message that is taken from now on.
    template <class... Messages>
    message_stream<Messages...> messages()
    {
        using hub = detail::message_hub<Messages...>;
        auto& known = message_hubs_[typeid(hub)];
        if (!known)
            known = std::make_shared<hub>(executor(), inbox());
        return message_stream<Messages...>(hub::observe(std::static_pointer_cast<hub>(known)));
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
    task<std::optional<output_line>> line()
    {
        return detail::line_queue::next(core_->workers().lines());
    }

    /// Everything that happens from now on, for one more observer.
    event_stream events() { return event_stream(core_->workers().events().subscribe()); }

    /// Stops all workers as the settings say, and starts none again. Ends after the last of them
    /// has. The ports close: who is connected is accepted before, who comes later is refused.
    /// Calling it again waits for the same.
    task<> stop() { return detail::cluster_core::stop(core_); }

    /// The same in another way, also for those that are being asked already.
    task<> stop(const stop_policy& how) { return detail::cluster_core::stop_by(core_, how); }

    /// Replaces all workers by new ones, one after the other: the old one is asked to stop when the
    /// new one is ready, so that there are never fewer than wanted, and the next one follows when
    /// it has ended, so that there is never more than one process more. The first new one that
    /// fails ends it, and the old ones that are left go on. A second call waits for its turn. A
    /// stop ends it. Cancelled, only the wait ends, and the reload goes on.
    task<reload_report> reload(const reload_options& options = {})
    {
        return detail::rolling::reload(rolling_, options);
    }

    /// The same with another program from here on, for cluster<executable>. When its first worker
    /// fails, the program stays what it was.
    task<reload_report> reload(const std::string& file,
                               const reload_options& options = {}) requires runs_program
    {
        auto launch = detail::launch_program(core_->executor(), file, core_->settings().args);
        return detail::rolling::reload(rolling_, options, std::move(launch));
    }

    /// Adds workers, in the lowest slots that are free, or takes some away, until there are so
    /// many. Waits until the new ones are ready or have failed, and those taken away have ended. A
    /// reload or another change of size comes first; after a stop it does nothing.
    task<> scale(std::size_t size, scale_down which = scale_down::youngest)
    {
        return detail::rolling::scale(rolling_, size, which);
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

    template <class Condition>
    std::optional<worker> find(Condition condition) const
    {
        auto all = workers();
        auto found = std::find_if(all.begin(), all.end(), condition);
        return found == all.end() ? std::nullopt : std::optional(*found);
    }

    const std::shared_ptr<detail::inbox>& inbox()
    {
        if (inbox_)
            return inbox_;
        inbox_ = std::make_shared<detail::inbox>(core_->executor());
        inbox_->attend(core_->workers().events().subscribe());
        for (auto& each : workers())
            inbox_->attend(each);
        return inbox_;
    }

    void abandon() noexcept
    {
        if (auto last = std::exchange(core_, nullptr))
            last->abandon();
    }

    std::shared_ptr<detail::cluster_core> core_;
    std::shared_ptr<detail::rolling> rolling_;
    std::shared_ptr<detail::inbox> inbox_; // once a message is asked for
    std::map<std::type_index, std::shared_ptr<void>> message_hubs_;
};

} // namespace brood
