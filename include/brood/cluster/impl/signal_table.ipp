// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/cluster/detail/core/signal_obedience.hpp>
#include <brood/cluster/detail/supervision/obedient_supervisor.hpp>
#include <brood/cluster/signal_table.hpp>

#include <csignal>
#include <fcntl.h>
#include <memory>
#include <utility>

namespace brood
{

BROOD_INLINE signal_table conventional_signals()
{
    signal_table table;
    table.actions = {{SIGTERM, signal_action::stop},
                     {SIGINT, signal_action::stop_at_once},
                     {SIGQUIT, signal_action::dump_and_stop_at_once},
                     {SIGHUP, signal_action::reload},
                     {SIGTTIN, signal_action::add_worker},
                     {SIGTTOU, signal_action::remove_worker}};
    descriptor terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
    if (!terminal)
        table.actions[SIGWINCH] = signal_action::remove_all;
    return table;
}

BROOD_INLINE task<> obey_signals(any_cluster& workers, const signal_table& table)
{
    using obedience = detail::signal_obedience;
    auto who = std::make_shared<detail::obedient_cluster>(workers);
    auto one = std::make_shared<obedience>(workers.executor(), std::move(who), table);
    return obedience::obey(one, workers.events());
}

BROOD_INLINE task<> obey_signals(supervisor& tree, const signal_table& table)
{
    using obedience = detail::signal_obedience;
    auto possible = table;
    std::erase_if(possible.actions,
                  [](auto& each) { return each.second >= signal_action::add_worker; });
    auto who = std::make_shared<detail::obedient_supervisor>(tree);
    auto one = std::make_shared<obedience>(tree.executor(), std::move(who), possible);
    return obedience::obey(one, tree.events());
}

} // namespace brood
