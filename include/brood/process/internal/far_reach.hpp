// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exit_status.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace brood::detail
{

/// How a process elsewhere is reached through the process of its launcher, which is a child of
/// ours.
struct far_reach
{
    /// Sends it a signal; false when nobody is there yet who could take it, or no more.
    std::function<bool(int)> signal;

    /// What the end of the launcher's process says about that of the process elsewhere.
    std::function<exit_status(const exit_status&)> told;

    /// How long the launcher's process may live on when the process elsewhere was killed.
    std::chrono::milliseconds patience{2'000};

    /// The name of its host, empty until that is known; null when nobody knows.
    std::function<std::string()> host;
};

} // namespace brood::detail
