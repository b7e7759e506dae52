// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace brood
{

/// How far a piece of work is: a value, true when it was asked for.
struct progress
{
    std::uint64_t done = 0;    ///< Items with a result.
    std::uint64_t failed = 0;  ///< Items that ended with an exception.
    std::uint64_t running = 0; ///< Items that a worker has been given.
    std::uint64_t waiting = 0; ///< Items that have been read and wait for a worker.
    std::uint64_t retried = 0; ///< How often items were given to a worker once more.

    /// How many items there are in all, when that is known: a stream does not say.
    std::optional<std::uint64_t> total;

    /// Items that ended in a second, measured over the last ten seconds.
    double rate = 0;

    /// Since the first item.
    std::chrono::steady_clock::duration elapsed{};

    /// Items that have ended, well or not.
    std::uint64_t ended() const noexcept { return done + failed; }

    /// How long the rest takes at this rate; nothing while nobody can know.
    std::optional<std::chrono::steady_clock::duration> time_left() const;

    /// The part that has ended, from 0 to 1; nothing while the total is unknown.
    std::optional<double> part() const;

    bool operator==(const progress&) const = default;
};

/// One line for people, in at most so many columns: what matters most stands first, and what has no
/// room is left out.
///
///     ######------  50 %  500/1000, 2 failed, 120/s, 4 s left
std::string to_line(const progress& from, std::size_t columns = 80);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/progress.ipp>
#endif
