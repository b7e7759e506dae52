// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/wire/limits.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace brood::detail
{

/// How far away the other side of a channel may be.
enum class reach
{
    local,     ///< On this machine: descriptors can travel.
    elsewhere, ///< On another machine, over a socket that carries bytes alone.
};

/// The limits of a channel that reaches so far.
inline channel_limits within(channel_limits limits, reach where) noexcept
{
    if (where == reach::elsewhere)
        limits.max_descriptors = 0;
    return limits;
}

/// Throws brood::error (not_local, too_large) for more descriptors than may be sent.
[[noreturn]] inline void refuse_descriptors(const std::string& peer, std::size_t count,
                                            std::size_t most, reach where)
{
    auto text = peer + ": a message with " + std::to_string(count) + " descriptors";
    if (where == reach::elsewhere)
        throw error(errc::not_local, text + " or shared_bytes, which cannot leave this machine; "
                                            "send what is in them as bytes, or copied()");
    throw error(errc::too_large, text + ", where at most " + std::to_string(most) + " are allowed");
}

/// Throws brood::error (overflow): so many bytes wait for a side that does not read.
[[noreturn]] inline void refuse_more(const std::string& peer, std::size_t waits)
{
    throw error(errc::overflow, peer + ": it does not read, and " + std::to_string(waits) +
                                    " bytes wait already; await drain() when send() is false");
}

/// Throws brood::error (too_large) for a payload of so many bytes, given as a text.
[[noreturn]] inline void refuse_length(const std::string& peer, const std::string& length,
                                       std::string_view type_name, std::size_t most, reach where)
{
    auto cure = where == reach::local ? "send shared_bytes instead" : "send it in pieces";
    throw error(errc::too_large, peer + ": a " + std::string(type_name) + " of " + length +
                                     " bytes, where at most " + std::to_string(most) +
                                     " are allowed; " + cure);
}

} // namespace brood::detail
