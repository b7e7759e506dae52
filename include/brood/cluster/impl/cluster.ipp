// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/detail/core/cluster_core.hpp>
#include <brood/cluster/detail/core/peer_search.hpp>
#include <brood/cluster/detail/core/rolling.hpp>
#include <brood/process/internal/listening_socket.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <unistd.h>

namespace brood
{
namespace detail
{

// Once all workers are ready, and have had a while to listen elsewhere too.
BROOD_INLINE task<> tell_unclaimed_sockets(std::shared_ptr<cluster_core> of)
{
    co_await cluster_core::ready(of);
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (!of->stopping() && std::chrono::steady_clock::now() < until)
        co_await of->changed_or(until);
    if (of->stopping())
        co_return;
    for (auto& each : unclaimed_sockets())
        std::fprintf(stderr,
                     "brood: process %d: nobody listens at %s, whose socket the system handed over "
                     "(LISTEN_FDS)\n",
                     static_cast<int>(::getpid()), each.c_str());
}

} // namespace detail

BROOD_INLINE void any_cluster::check(const cluster_settings& settings, bool runs_program)
{
    settings.check();
    if (runs_program && settings.program.empty())
        throw std::invalid_argument("brood: cluster settings: a cluster<executable> needs a "
                                    "program, and settings.program is empty");
    if (!runs_program && (!settings.program.empty() || !settings.args.list().empty()))
        throw std::invalid_argument("brood: cluster settings: settings.program is for "
                                    "cluster<executable>, as are settings.args");
}

BROOD_INLINE any_cluster::any_cluster(asio::any_io_executor executor,
                                      const cluster_settings& settings,
                                      detail::worker_launcher launch)
    : core_(std::make_shared<detail::cluster_core>(executor, settings, std::move(launch))),
      rolling_(std::make_shared<detail::rolling>(core_))
{
    detail::take_handed_sockets(); // of a program with a loop of its own
    core_->workers().introduce_by(detail::introducer_of(core_));
    // Workers that cannot be started may end the cluster, but not before all were tried.
    detail::cluster_core::stay begun(core_);
    for (auto count = settings.workers(); count != 0 && !core_->stopping(); --count)
        core_->add();
    asio::co_spawn(executor, detail::rolling::recycle(rolling_), asio::detached);
    asio::co_spawn(executor, detail::cluster_core::fail_with_ports(core_), asio::detached);
    if (!detail::unclaimed_sockets().empty())
        asio::co_spawn(executor, detail::tell_unclaimed_sockets(core_), asio::detached);
}

BROOD_INLINE any_cluster::any_cluster(any_cluster&&) noexcept = default;

BROOD_INLINE any_cluster& any_cluster::operator=(any_cluster&& other) noexcept
{
    std::swap(core_, other.core_);
    std::swap(rolling_, other.rolling_);
    any_cluster(std::move(other)).abandon();
    return *this;
}

BROOD_INLINE any_cluster::~any_cluster()
{
    abandon();
}

BROOD_INLINE void any_cluster::abandon() noexcept
{
    if (auto last = std::exchange(core_, nullptr))
        last->abandon();
}

BROOD_INLINE worker any_cluster::fork(std::map<std::string, std::string> variables)
{
    return worker(core_->add(std::move(variables))->worker);
}

BROOD_INLINE std::exception_ptr any_cluster::failure() const noexcept
{
    return core_->failure();
}

BROOD_INLINE std::vector<worker> any_cluster::workers() const
{
    return core_->workers_by_slot();
}

BROOD_INLINE std::optional<worker> any_cluster::worker_with_id(std::uint64_t id) const
{
    for (auto& each : workers())
        if (each.id() == id)
            return each;
    return std::nullopt;
}

BROOD_INLINE std::optional<worker> any_cluster::worker_in_slot(std::size_t slot) const
{
    for (auto& each : workers())
        if (each.slot() == slot)
            return each;
    return std::nullopt;
}

BROOD_INLINE asio::any_io_executor any_cluster::executor() const
{
    return core_->executor();
}

BROOD_INLINE std::size_t any_cluster::size() const noexcept
{
    return core_->slots().size();
}

BROOD_INLINE cluster_stats any_cluster::stats() const
{
    return core_->stats();
}

BROOD_INLINE task<bool> any_cluster::ready()
{
    return detail::cluster_core::ready(core_);
}

BROOD_INLINE task<std::optional<exit_info>> any_cluster::exit()
{
    return detail::cluster_core::next_exit(core_);
}

BROOD_INLINE const std::shared_ptr<detail::inbox>& any_cluster::inbox()
{
    return core_->messages();
}

BROOD_INLINE const std::shared_ptr<detail::message_hub>&
any_cluster::hub_of(const std::type_info& messages)
{
    return core_->hub_of(messages);
}

BROOD_INLINE task<std::optional<output_line>> any_cluster::line()
{
    return detail::line_queue::next(core_->workers().lines());
}

BROOD_INLINE event_stream any_cluster::events()
{
    return event_stream(core_->workers().events().subscribe());
}

BROOD_INLINE task<> any_cluster::stop()
{
    return detail::cluster_core::stop(core_);
}

BROOD_INLINE task<> any_cluster::stop(const stop_policy& how)
{
    return detail::cluster_core::stop_by(core_, how);
}

BROOD_INLINE task<reload_report> any_cluster::reload(const reload_options& options)
{
    return detail::rolling::reload(rolling_, options);
}

BROOD_INLINE task<reload_report> any_cluster::reload_by(const std::string& file,
                                                        const reload_options& options)
{
    auto launch = detail::launch_program(executor(), file, core_->settings().args);
    return detail::rolling::reload(rolling_, options, std::move(launch));
}

BROOD_INLINE task<exit_info> any_cluster::retire(const worker& one)
{
    return detail::rolling::retire(rolling_, one);
}

BROOD_INLINE task<> any_cluster::scale(std::size_t size, scale_down which)
{
    return detail::rolling::scale(rolling_, size, which);
}

} // namespace brood
