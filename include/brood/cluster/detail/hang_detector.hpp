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
        auto late = clock::now() - looked_ > step() * 2;
        looked_ = clock::now();
        auto count = signs ? vital_signs::read(signs).beats : 0;
        if (late || count != count_ || !signs)
        {
            count_ = count;
            changed_ = looked_;
            before_ = process_activity::of(pid_);
        }
        if (looked_ - changed_ < stale_after_)
            return std::nullopt;
        auto now = process_activity::of(pid_);
        if (was_starved(before_, now, static_cast<unsigned long long>(stale_after_.count())))
        {
            before_ = now;
            return std::nullopt;
        }
        return describe_hang(before_, now);
    }

private:
    pid_t pid_;
    std::chrono::nanoseconds stale_after_;
    std::uint64_t count_ = 0; // of its beats
    clock::time_point changed_ = clock::now();
    clock::time_point looked_ = changed_;
    process_activity before_; // when the count last changed
};

} // namespace brood::detail
