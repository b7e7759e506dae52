// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/settings.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace brood::detail
{

/// How often a primary asks each of its workers elsewhere for a sign of life, and how long either
/// may hear nothing.
struct touch_pace
{
    std::chrono::milliseconds every{0};
    std::chrono::milliseconds stale_after{0}; ///< Of a worker; zero for ever.
    std::chrono::milliseconds grace{0};       ///< Of the primary, for its workers.

    friend bool operator==(const touch_pace&, const touch_pace&) = default;
};

/// The pace for so many workers: the more there are the rarer, so that it costs the primary a
/// thousandth of a processor. A time after which a worker is stale that is not the usual one is
/// kept, whatever it costs. A worker is never left for as long as the primary may be silent.
inline touch_pace pace_of(const watchdog& settings, std::chrono::milliseconds orphan_grace,
                          std::size_t workers)
{
    using std::chrono::milliseconds;
    constexpr milliseconds for_each(20), usual(2'000), shortest_for_grace(250);
    constexpr int touches_missed = 4;
    auto wanted = std::min(usual, std::max(orphan_grace / touches_missed, shortest_for_grace));
    auto stretched = std::max(wanted, for_each * static_cast<milliseconds::rep>(workers));
    auto is_asked = settings.on() && settings.stale_after != watchdog::usual_stale_after;
    touch_pace result;
    result.every =
        is_asked ? std::min(stretched, settings.stale_after / touches_missed) : stretched;
    result.every = std::max(result.every, milliseconds(1));
    if (settings.on())
        result.stale_after = std::max(settings.stale_after, touches_missed * result.every);
    result.grace = std::max(orphan_grace, touches_missed * result.every);
    return result;
}

} // namespace brood::detail
