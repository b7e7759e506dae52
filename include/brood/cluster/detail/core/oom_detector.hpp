// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/exit_info.hpp>
#include <brood/os/oom_kills.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <string>

namespace brood::detail
{

/// Tells a worker that the kernel killed for want of memory from one that somebody killed.
class oom_detector
{
public:
    /// Tests give another root than the real one.
    explicit oom_detector(const std::string& root = {}) : kills_(root) {}

    /// How many kills there were: looked at when a worker starts, for cause_of() at its end.
    std::uint64_t seen() const { return kills_.count(); }

    /// Why a process ended that nobody asked to. Looks at the count only after a SIGKILL; each kill
    /// is the end of one worker.
    exit_cause cause_of(const exit_status& status, std::uint64_t seen_at_start)
    {
        if (status.signal == 0)
            return exit_cause::exited;
        if (status.signal != SIGKILL)
            return exit_cause::signalled;
        auto known = std::max(seen_at_start, explained_);
        if (kills_.count() <= known)
            return exit_cause::signalled;
        explained_ = known + 1;
        return exit_cause::oom;
    }

private:
    os::oom_kills kills_;
    std::uint64_t explained_ = 0; // so many kills are known to be of our workers, or of others
};

} // namespace brood::detail
