// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/cluster.hpp>

#include <functional>
#include <map>

namespace brood
{

class supervisor;

/// What the primary of a cluster does when it gets a signal.
enum class signal_action
{
    stop,                  ///< Stop all workers as the settings say. The second time: stop_at_once.
    stop_at_once,          ///< Close their channels and SIGTERM, and a second later SIGKILL.
    dump_and_stop_at_once, ///< The same, after the table of its stats() was written to stderr:
                           ///< as much of it as that takes without making us wait.
    reload,                ///< Replace all workers, one after the other.
    add_worker,            ///< One more.
    remove_worker,         ///< The youngest drains. One always stays.
    remove_all,            ///< All drain, and the primary waits for more.
};

/// What each signal means to a cluster or a supervisor; one that is not here keeps its usual
/// effect.
struct signal_table
{
    std::map<int, signal_action> actions;

    /// Is told how each reload went.
    std::function<void(const reload_report&)> on_reload = {};
};

/// The signals of a conventional master: TERM stops, INT stops at once, and so does QUIT, which
/// first tells on stderr how the workers were; HUP reloads, TTIN and TTOU add and remove a worker,
/// WINCH removes all. USR1 and USR2 are left to the program.
/// Without WINCH when this process has a terminal, which sends it whenever its window changes size.
signal_table conventional_signals();

/// Does what the signals of this process mean to a cluster, until that has ended. Only then may the
/// cluster be destroyed. A signal comes while another one is carried out: a reload and a change of
/// size wait for their turn, a stop does not.
///
/// Throws why the cluster failed, when that is how it ended, as exit() does; so does main then, and
/// brood::run() prints it and gives a code. Throws std::system_error, not awaited, for a signal
/// that cannot be caught.
task<> obey_signals(any_cluster& workers, const signal_table& table = conventional_signals());

/// The same for a supervisor that was started. It has no workers to add or remove: signals that the
/// table has for that keep their usual effect.
task<> obey_signals(supervisor& tree, const signal_table& table = conventional_signals());

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/signal_table.ipp>
#endif
