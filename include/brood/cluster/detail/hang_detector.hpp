// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/process_activity.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/process/vital_signs.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace brood::detail
{

/// Finds out that the loop of a worker stands still, by looking at its vital signs now and then.
class hang_detector
{
public:
    using clock = std::chrono::steady_clock;

    hang_detector(pid_t pid, std::chrono::nanoseconds stale_after)
        : pid_(pid), stale_after_(stale_after), before_(process_activity::of(pid))
    {
    }

    /// How long to wait between two looks.
    std::chrono::nanoseconds step() const noexcept { return stale_after_ / 4; }

    /// What it does, "spins" say, when it has hung for long enough; nothing when all is well. The
    /// file is none before the worker is online.
    std::optional<std::string> look(const descriptor& signs)
    {
        // Whoever looks too late was stopped or starved itself, and so perhaps were all.
        auto passed = clock::now() - looked_;
        looked_ += passed;
        auto count = signs ? vital_signs::read(signs).beats : 0;
        auto now = process_activity::of(pid_);
        waits_ = still_waits(last_, now) ? waits_ + passed : clock::duration(0);
        last_ = now;
        if (passed > step() * 2 || count != count_ || !signs)
        {
            count_ = count;
            changed_ = looked_;
            before_ = now;
            waits_ = {};
        }
        // What it had no processor for does not count.
        auto waited = std::chrono::nanoseconds(now.waited - before_.waited) + waits_;
        if (looked_ - changed_ - waited < stale_after_)
            return std::nullopt;
        return describe_hang(before_, now);
    }

private:
    pid_t pid_;
    std::chrono::nanoseconds stale_after_;
    std::uint64_t count_ = 0; // of its beats
    clock::time_point changed_ = clock::now();
    clock::time_point looked_ = changed_;
    process_activity before_; // when the count last changed
    process_activity last_;   // at the last look
    clock::duration waits_{}; // so long it waits for a processor now
};

} // namespace brood::detail
