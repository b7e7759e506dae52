// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exit_status.hpp>

#include <string>
#include <string_view>

namespace brood
{

/// How much a launcher knows of the end of its worker.
enum class exit_exactness
{
    exact,    ///< The code, or the signal, is the worker's.
    shell128, ///< As a shell tells it, 128 + n: a signal n, or a code that is the same number.
    none,     ///< How the worker ended is not known; `why` says what is.
};

/// "exact", "128 + n", "unknown".
std::string to_string(exit_exactness exactness);

/// How a worker elsewhere ended, as far as its launcher, a process of this machine, says.
///
/// What the worker itself said before it ended is better than any of it.
struct launched_exit
{
    exit_status status; ///< Of the worker, but for the pid and what was used: of its launcher.
    exit_exactness exactness = exit_exactness::exact;
    std::string why = {}; ///< What the launcher says about it; empty when it says nothing.

    friend bool operator==(const launched_exit&, const launched_exit&) = default;
};

/// By the end of an ssh of ssh_command(), and what it printed to stderr last.
///
/// Codes from 0 to 124 are exact. Above 128 they are a signal's, as the shell there said it; 255 is
/// a lost connection, or a worker that gave just this code, and is not known for either.
launched_exit exit_by_ssh(const exit_status& of_ssh, std::string_view err);

/// By the end of an srun of srun_command(), and what it printed to stderr last.
///
/// srun says there how a task ended when it did not end with 0, "srun: error: n1: task 0: Killed":
/// what agrees with its code is exact. A signal without that line is 128 + n.
launched_exit exit_by_srun(const exit_status& of_srun, std::string_view err);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/launched_exit.ipp>
#endif
