// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/internal/worker_protocol.hpp>

#include <cstdlib>
#include <string>
#include <unistd.h>

namespace brood::detail
{

inline constexpr auto channel_variable = "BROOD_CHANNEL";
inline constexpr auto entry_variable = "BROOD_ENTRY";

/// What a parent that forked this process left for it: an end of the channel, and what to start
/// with.
struct inheritance
{
    descriptor channel;
    std::string entry;  ///< Empty: the program's own main coroutine.
    std::string worker; ///< Which worker of a cluster it is; empty for none.
};

/// Takes it, once: what this process starts itself must not find it again, or a channel would never
/// end.
inline inheritance take_inheritance()
{
    inheritance result;
    if (auto number = std::getenv(channel_variable))
    {
        result.channel = descriptor(std::atoi(number));
        check(::fcntl(result.channel.get(), F_SETFD, FD_CLOEXEC), "channel to the parent", number);
    }
    if (auto name = std::getenv(entry_variable))
        result.entry = name;
    if (auto identity = std::getenv(worker_variable))
        result.worker = identity;
    for (auto variable : {channel_variable, entry_variable, worker_variable})
        ::unsetenv(variable);
    return result;
}

/// Whether this process is to start with an entry and not with its own main().
inline bool has_entry()
{
    return std::getenv(entry_variable) != nullptr;
}

} // namespace brood::detail
