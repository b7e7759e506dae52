// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/hash.hpp>

#include <cstdint>
#include <unistd.h>

// Numbers to spread things in time, of which <random> would make too much: it costs whoever
// includes it a tenth of what all of Asio does.

namespace brood::detail
{

/// At least 0 and less than 1, the same for the same key, and far apart for keys that are close.
constexpr double random_fraction_of(std::uint64_t key)
{
    return static_cast<double>(mixed(key + mix_step) >> 11) * 0x1p-53;
}

/// At least 0 and less than 1, by chance; see getentropy(3). One half in a sandbox that denies it.
inline double random_fraction() noexcept
{
    std::uint64_t key = 0;
    return ::getentropy(&key, sizeof key) == 0 ? random_fraction_of(key) : 0.5;
}

} // namespace brood::detail
