// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/process_activity.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/process/internal/vital_signs.hpp>

#include <algorithm>
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

    hang_detector(pid_t pid, const watchdog& settings)
        : pid_(pid), tick_(settings.tick), stale_after_(settings.stale_after)
    {
    }

    /// How long to wait between two looks: what hangs is found a tick after it is stale, or sooner.
    std::chrono::nanoseconds step() const noexcept { return std::min(tick_, stale_after_ / 4); }

    /// What it does, "spins" say, when it has hung for long enough; nothing when all is well. The
    /// file is none before the worker is online.
    std::optional<std::string> look(const descriptor& signs)
    {
        // Whoever looks too late was stopped or starved itself, and so perhaps were all.
        auto passed = clock::now() - looked_;
        looked_ += passed;
        auto count = signs ? vital_signs::read(signs).beats : 0;
        if (passed > stale_after_ / 2 || count != count_ || !signs)
        {
            count_ = count;
            changed_ = looked_;
            before_.reset();
            waits_ = {};
            return std::nullopt;
        }
        auto now = process_activity::of(pid_);
        if (!before_ || !before_->known())
            before_ = last_ = now;
        if (before_->known() && !now.known())
            return std::nullopt; // no descriptor is left for a look
        waits_ = still_waits(last_, now) ? waits_ + passed : clock::duration(0);
        last_ = now;
        // What it had no processor for does not count.
        auto waited = std::chrono::nanoseconds(now.waited - before_->waited) + waits_;
        if (looked_ - changed_ - waited < stale_after_)
            return std::nullopt;
        return describe_hang(*before_, now);
    }

    /// It was told to be spared: it is looked at as if its loop had just come round.
    void spare()
    {
        changed_ = clock::now();
        before_.reset();
        waits_ = {};
    }

private:
    pid_t pid_;
    std::chrono::nanoseconds tick_;
    std::chrono::nanoseconds stale_after_;
    std::uint64_t count_ = 0; // of its beats
    clock::time_point changed_ = clock::now();
    clock::time_point looked_ = changed_;
    std::optional<process_activity> before_; // at the first look after the count last changed
    process_activity last_;                  // at the last look
    clock::duration waits_{};                // so long it waits for a processor now
};

} // namespace brood::detail
