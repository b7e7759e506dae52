// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>
#include <unistd.h>

namespace brood::detail
{

/// write(2) that fails with EPIPE and raises no SIGPIPE, without touching what the program does
/// with it.
///
/// The signal is held back in this thread around the write, and one that the write caused is taken
/// away; one that was pending before is not ours.
inline ssize_t quiet_write(int number, std::string_view text)
{
    sigset_t pipe_signal, before, pending;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::sigpending(&pending);
    auto was_pending = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    auto count = retry([&] { return ::write(number, text.data(), text.size()); });
    auto reason = errno;
    if (count == -1 && reason == EPIPE && !was_pending)
    {
        timespec at_once{};
        ::sigtimedwait(&pipe_signal, nullptr, &at_once);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = reason;
    return count;
}

} // namespace brood::detail
