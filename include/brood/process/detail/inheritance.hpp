// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/cipher.hpp>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace brood::detail
{

inline constexpr auto channel_variable = "BROOD_CHANNEL";
inline constexpr auto entry_variable = "BROOD_ENTRY";
inline constexpr auto parent_variable = "BROOD_PARENT"; // for a child that is to die with it

/// What the bytes of the channel that was left pass through; null for nothing. Of one from this
/// machine nothing is left.
inline std::shared_ptr<cipher> left_cipher;

/// What a parent that forked this process left for it: an end of the channel, and what to start
/// with.
struct inheritance
{
    descriptor channel;
    std::string entry;               ///< Empty: the program's own main coroutine.
    std::string worker;              ///< Which worker of a cluster it is; empty for none.
    std::string primary;             ///< Who its parent is, on another machine; empty for one here.
    std::shared_ptr<cipher> through; ///< For the bytes of that channel; null for nothing.
};

/// What the variable of the channel says: the number that the child finds it under, and which
/// socket it is, so that another program that inherits the variable takes no foreign file for it.
inline std::string name_of_channel(int number, const descriptor& socket)
{
    struct stat file = {};
    check(::fstat(socket.get(), &file), "look at the channel");
    return std::to_string(number) + '.' + std::to_string(file.st_ino);
}

/// The number of the channel that the parent left; -1 when it left none for this process.
inline int inherited_channel()
{
    auto text = std::getenv(channel_variable);
    if (text == nullptr)
        return -1;
    auto rest = text;
    auto number = static_cast<int>(std::strtol(text, &rest, 10));
    struct stat file = {};
    if (rest == text || ::fstat(number, &file) == -1 || !S_ISSOCK(file.st_mode))
        return -1;
    if (*rest == '.' && std::to_string(file.st_ino) != rest + 1)
        return -1;
    return number;
}

/// Dies with the parent, as it wants. The kernel was told so by the parent already, and forgets it
/// when it runs a program with file capabilities.
inline void follow_parent_again([[maybe_unused]] const char* parent)
{
#ifdef __linux__
    int signal = 0;
    if (::prctl(PR_GET_PDEATHSIG, &signal) == -1 || signal != 0)
        return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have ended meanwhile. One in another namespace has no number here.
    auto now = ::getppid();
    if (now != 0 && std::to_string(now) != parent)
        ::raise(SIGKILL);
#endif
}

/// Takes it, once: what this process starts itself must not find it again, or a channel would never
/// end.
inline inheritance take_inheritance()
{
    inheritance result;
    result.channel = descriptor(inherited_channel());
    if (result.channel)
    {
        check(::fcntl(result.channel.get(), F_SETFD, FD_CLOEXEC), "channel to the parent");
        if (auto name = std::getenv(entry_variable))
            result.entry = name;
        if (auto identity = std::getenv(worker_variable))
            result.worker = identity;
        if (auto parent = std::getenv(parent_variable))
            follow_parent_again(parent);
        if (auto elsewhere = std::getenv(elsewhere_variable))
            result.primary = elsewhere;
        result.through = std::exchange(left_cipher, nullptr);
    }
    for (auto variable :
         {channel_variable, entry_variable, worker_variable, parent_variable, elsewhere_variable})
        ::unsetenv(variable);
    return result;
}

/// Whether this process is to start with an entry and not with its own main().
inline bool has_entry()
{
    return std::getenv(entry_variable) != nullptr && inherited_channel() != -1;
}

} // namespace brood::detail
