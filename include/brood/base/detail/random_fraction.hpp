// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>

#include <cstdint>
#include <unistd.h>

// Numbers to spread things in time, of which <random> would make too much: it costs whoever
// includes it a tenth of what all of Asio does.

namespace brood::detail
{

/// At least 0 and less than 1, the same for the same key, and far apart for keys that are close:
/// the last steps of SplitMix64 (https://prng.di.unimi.it/splitmix64.c).
constexpr double random_fraction_of(std::uint64_t key)
{
    key += 0x9e3779b97f4a7c15;
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9;
    key = (key ^ (key >> 27)) * 0x94d049bb133111eb;
    key ^= key >> 31;
    return static_cast<double>(key >> 11) * 0x1p-53;
}

/// At least 0 and less than 1, by chance; see getentropy(3). One half in a sandbox that denies it.
inline double random_fraction() noexcept
{
    std::uint64_t key = 0;
    return ::getentropy(&key, sizeof key) == 0 ? random_fraction_of(key) : 0.5;
}

} // namespace brood::detail
