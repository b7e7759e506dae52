// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launcher_clone.hpp>
#include <brood/process/detail/launcher_fork.hpp>
#include <brood/process/detail/launcher_spawn.hpp>
#include <brood/process/detail/permanent_thread.hpp>

namespace brood::detail
{

/// The ways to start a child. The first that this system allows is taken; tests force each of them.
enum class launcher
{
    automatic,
    clone,
    posix_spawn,
    fork,
};

inline launcher forced_launcher = launcher::automatic;

// Kernels without it say ENOSYS or EINVAL, sandboxes EPERM.
inline bool not_available(const launched& attempt)
{
    auto reason = attempt.failure.error_number;
    return attempt.pid == -1 && attempt.failure.step == launch_step::fork &&
           (reason == ENOSYS || reason == EINVAL || reason == EPERM);
}

inline launched launch_from_this_thread(launch_plan& plan)
{
    auto way = forced_launcher;
    if (way == launcher::automatic || way == launcher::clone)
    {
        auto result = launch_by_clone(plan);
        if (way == launcher::clone || !not_available(result))
            return result;
    }
    if (way != launcher::fork && suits_posix_spawn(plan))
        return launch_by_posix_spawn(plan);
    return launch_by_fork(plan);
}

/// Starts the child of a plan, without ever running this program's code in it. From any thread.
///
/// Whatever happens, nothing of a child that could not be started is left.
inline launched launch(launch_plan& plan)
{
    if (!plan.die_with_parent || this_thread_is_permanent())
        return launch_from_this_thread(plan);
    launched result;
    permanent_thread::run([&] { result = launch_from_this_thread(plan); });
    return result;
}

} // namespace brood::detail
