// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace brood::detail
{

/// The 64-bit FNV-1a hash of a text (http://www.isthe.com/chongo/tech/comp/fnv/).
constexpr std::uint64_t hash_of(std::string_view text)
{
    std::uint64_t value = 0xcbf29ce484222325;
    for (char letter : text)
        value = (value ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    return value;
}

/// Between one number that is mixed and the next: what SplitMix64 adds before each.
inline constexpr std::uint64_t mix_step = 0x9e3779b97f4a7c15;

/// Spreads numbers that are close to each other over all of them: the last steps of SplitMix64
/// (https://prng.di.unimi.it/splitmix64.c).
constexpr std::uint64_t mixed(std::uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
}

} // namespace brood::detail
