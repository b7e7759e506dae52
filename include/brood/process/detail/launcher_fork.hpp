// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_steps.hpp>
#include <brood/process/internal/pipe_ends.hpp>

#include <sys/wait.h>

namespace brood::detail
{

/// Starts a child as POSIX has it: a copy of this process, which tells through a pipe what failed.
///
/// The last way, as it costs in proportion to the memory of this process.
inline launched launch_by_fork(launch_plan& plan)
{
    pipe_ends ends;
    if (!ends.open())
        return launched::failed(launch_step::fork, errno);
    // Beside the numbers that the child is given. Closed by exec: its end means that exec worked.
    descriptor report(duplicate_beside(plan, ends.writing.get()));
    if (!report)
        return launched::failed(launch_step::fork, errno);
    ends.writing.reset();
    launched result;
    {
        all_signals_blocked blocked;
        result.pid = ::fork();
        if (result.pid == 0)
        {
            auto failure = become_program(plan);
            [[maybe_unused]] auto written = ::write(report.get(), &failure, sizeof failure);
            ::_exit(127);
        }
        if (result.pid == -1)
            result.failure = {launch_step::fork, errno};
    }
    report.reset();
    if (result.pid == -1)
        return result;
    auto told =
        retry([&] { return ::read(ends.reading.get(), &result.failure, sizeof result.failure); });
    if (told > 0)
        retry([&] { return ::waitpid(result.pid, nullptr, 0); });
    return result;
}

} // namespace brood::detail
