// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/core/event_queue.hpp>
#include <brood/cluster/detail/core/losses_excused.hpp>
#include <brood/cluster/detail/core/observers.hpp>
#include <brood/cluster/detail/supervision/supervised_cluster.hpp>
#include <brood/cluster/detail/supervision/supervised_worker.hpp>
#include <brood/cluster/detail/supervision/supervisor_core.hpp>
#include <brood/cluster/supervisor.hpp>
#include <brood/process/internal/stop_urgency.hpp>

#include <exception>
#include <stdexcept>

namespace brood
{
namespace detail
{

BROOD_INLINE task<> watch_end(std::shared_ptr<supervisor_core> core,
                              std::shared_ptr<event_queue<exit_info>> exits,
                              std::shared_ptr<observers<child_event>> all)
{
    co_await core->ended();
    exits->end();
    all->end();
}

BROOD_INLINE task<std::optional<exit_info>> next_exit(std::shared_ptr<supervisor_core> core,
                                                      std::shared_ptr<event_queue<exit_info>> exits)
{
    auto next = co_await event_queue<exit_info>::next(exits);
    if (next)
        co_return next;
    co_await core->ended();
    if (auto failed = core->failure())
        std::rethrow_exception(failed);
    co_return std::nullopt;
}

BROOD_INLINE task<> stop_all(std::shared_ptr<supervisor_core> core)
{
    if (!core->stopping())
        begin_hastening(core->executor(), core);
    core->stop(exit_cause::stopped);
    if (core->running())
        co_await core->ended();
}

BROOD_INLINE task<> stop_all_by(std::shared_ptr<supervisor_core> core, stop_policy how)
{
    core->hasten(how);
    if (core->running())
        co_await core->ended();
}

} // namespace detail

BROOD_INLINE supervisor::supervisor(strategy how, const restart_policy& policy)
    : supervisor(default_executor(), how, policy)
{
}

BROOD_INLINE supervisor::supervisor(asio::any_io_executor executor, strategy how,
                                    const restart_policy& policy)
    : core_(std::make_shared<detail::supervisor_core>(executor, how, policy)),
      exits_(std::make_shared<detail::event_queue<exit_info>>(executor)),
      observers_(std::make_shared<detail::observers<child_event>>(executor))
{
}

BROOD_INLINE supervisor::supervisor(supervisor&&) noexcept = default;

BROOD_INLINE supervisor& supervisor::operator=(supervisor&& other) noexcept
{
    std::swap(core_, other.core_);
    std::swap(exits_, other.exits_);
    std::swap(observers_, other.observers_);
    supervisor(std::move(other)).abandon();
    return *this;
}

BROOD_INLINE supervisor::~supervisor()
{
    abandon();
}

BROOD_INLINE supervisor& supervisor::add(std::string name, const std::string& file,
                                         const arguments& args, const child_settings& settings)
{
    return add_worker(std::move(name), settings,
                      detail::launch_program(core_->executor(), file, args), file);
}

BROOD_INLINE supervisor& supervisor::add(std::string name, supervisor nested)
{
    nested.refuse_running("be added to another one");
    return add_child(std::move(name), core_->policy(), std::move(nested.core_));
}

BROOD_INLINE void supervisor::start()
{
    refuse_running("be started");
    if (exits_->has_ended())
        exits_ = std::make_shared<detail::event_queue<exit_info>>(core_->executor());
    observers_->begin();
    core_->start(
        [exits = exits_, all = observers_](const child_event& event)
        {
            if (event.what == child_event::kind::exit)
                exits->push(*event.ended);
            all->tell(event);
        });
    asio::co_spawn(core_->executor(), detail::watch_end(core_, exits_, observers_), asio::detached);
}

BROOD_INLINE task<bool> supervisor::ready()
{
    return core_->ready();
}

BROOD_INLINE task<std::optional<exit_info>> supervisor::exit()
{
    return detail::next_exit(core_, exits_);
}

BROOD_INLINE task<> supervisor::stop()
{
    return detail::stop_all(core_);
}

BROOD_INLINE task<> supervisor::stop(const stop_policy& how)
{
    return detail::stop_all_by(core_, how);
}

BROOD_INLINE std::exception_ptr supervisor::failure() const noexcept
{
    return core_->failure();
}

BROOD_INLINE task<> supervisor::stop(std::string_view path)
{
    auto [in, child] = core_->place_of(path);
    return detail::supervisor_core::stop_child(in, child);
}

BROOD_INLINE task<bool> supervisor::start(std::string_view path)
{
    auto [in, child] = core_->place_of(path);
    return detail::supervisor_core::start_child(in, child);
}

BROOD_INLINE task<bool> supervisor::restart(std::string_view path)
{
    auto [in, child] = core_->place_of(path);
    return detail::supervisor_core::restart_child(in, child);
}

BROOD_INLINE task<reload_report> supervisor::reload(std::string_view path)
{
    auto [in, child] = core_->place_of(path);
    return detail::supervisor_core::reload_child(in, child);
}

BROOD_INLINE task<reload_report> supervisor::reload()
{
    return core_->reload();
}

BROOD_INLINE child_event_stream supervisor::events()
{
    return child_event_stream(observers_->subscribe());
}

BROOD_INLINE supervisor_stats supervisor::stats() const
{
    return core_->stats();
}

BROOD_INLINE brood::worker supervisor::worker(std::string_view path) const
{
    if (auto found = core_->find(path))
        return *found;
    throw std::out_of_range("brood: supervisor: no worker is called \"" + std::string(path) + '"');
}

BROOD_INLINE std::vector<child_info> supervisor::children() const
{
    std::vector<child_info> result;
    for (auto& each : core_->children())
    {
        auto& added = result.emplace_back();
        added.name = each->name;
        added.running = each->runs();
        added.ready = each->now == detail::child_record::phase::ready;
        added.starts = each->starts;
        auto one = each->what->find({});
        if (one && added.running)
            added.pid = one->pid();
    }
    return result;
}

BROOD_INLINE asio::any_io_executor supervisor::executor() const
{
    return core_->executor();
}

BROOD_INLINE supervisor& supervisor::add_worker(std::string name, const child_settings& wanted,
                                                detail::worker_launcher launch,
                                                const std::string& program)
{
    cluster_settings settings;
    settings.size = 1;
    settings.spawn = wanted.spawn;
    settings.program = program;
    settings.start_within = wanted.start_within;
    settings.ready_when = wanted.ready_when;
    settings.stop = wanted.stop;
    settings.watchdog = wanted.watchdog;
    settings.output = wanted.output;
    if (wanted.output.where == worker_output::goes::read)
        throw std::invalid_argument("brood: supervisor: nobody reads the output of a child; "
                                    "have it printed");
    settings.check();
    auto policy = core_->policy();
    policy.when = wanted.when;
    policy.per_slot = wanted.limit.value_or(policy.per_slot);
    policy.delay = wanted.delay.value_or(policy.delay);
    policy.on_limit = wanted.on_limit.value_or(policy.on_limit);
    policy.check();
    if (wanted.on_limit == on_limit::exit)
        throw std::invalid_argument("brood: supervisor: on_limit::exit is for a whole supervisor, "
                                    "in its policy");
    policy = detail::with_losses_excused(std::move(policy), settings.spawn);
    auto child = std::make_shared<detail::supervised_worker>(core_->executor(), settings,
                                                             std::move(launch), name);
    return add_child(std::move(name), std::move(policy), std::move(child));
}

BROOD_INLINE supervisor& supervisor::add_workers(std::string name,
                                                 std::function<std::shared_ptr<any_cluster>()> make)
{
    return add_child(std::move(name), core_->policy(),
                     std::make_shared<detail::supervised_cluster>(executor(), std::move(make)));
}

BROOD_INLINE supervisor& supervisor::add_child(std::string name, restart_policy policy,
                                               std::shared_ptr<detail::supervised> child)
{
    refuse_running("be given another child");
    core_->add(std::move(name), std::move(child), std::move(policy));
    return *this;
}

BROOD_INLINE void supervisor::refuse_running(const char* what) const
{
    if (core_->running())
        throw std::logic_error(std::string("brood: a supervisor that runs cannot ") + what);
}

BROOD_INLINE void supervisor::abandon() noexcept
{
    if (auto last = std::exchange(core_, nullptr))
        last->stop(exit_cause::stopped);
}

} // namespace brood
