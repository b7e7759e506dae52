// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/restart_policy.hpp>
#include <brood/process/launcher.hpp>
#include <brood/process/spawn_options.hpp>

#include <utility>

namespace brood::detail
{

/// The policy for workers that are started so. Those whom somebody else starts come and go as he
/// wants: that one was cut off, and nobody knows how it ended, says nothing of the next, and there
/// is no start to wait with.
inline restart_policy with_losses_excused(restart_policy policy, const spawn_options& started)
{
    if (!started.launcher || started.launcher->capabilities().starts)
        return policy;
    policy.excused = [also = std::move(policy.excused)](const exit_info& ended)
    {
        auto is_gone = ended.cause == exit_cause::lost || ended.cause == exit_cause::hung ||
                       ended.cause == exit_cause::unreachable;
        return (is_gone && ended.was_ready) || (also && also(ended));
    };
    return policy;
}

} // namespace brood::detail
