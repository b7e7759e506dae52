// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <pthread.h>
#include <thread>
#include <utility>

#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace brood::detail
{

/// Ends this process when its connection has ended and some time has passed: its primary is gone,
/// however busy its loop is. Closed by this process itself the connection is watched no more.
inline void watch_connection([[maybe_unused]] const descriptor& socket,
                             [[maybe_unused]] std::chrono::milliseconds grace)
{
#ifdef __linux__
    // A duplicate would hold the connection when the loop has closed it; an epoll set does not.
    descriptor set(::epoll_create1(EPOLL_CLOEXEC));
    check(set.get(), "watch the connection to the primary");
    epoll_event wanted = {};
    wanted.events = EPOLLRDHUP;
    check(::epoll_ctl(set.get(), EPOLL_CTL_ADD, socket.get(), &wanted),
          "watch the connection to the primary");
    // Signals are for the threads of the program.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread(
        [from = std::move(set), grace]
        {
            epoll_event happened = {};
            if (retry([&] { return ::epoll_wait(from.get(), &happened, 1, -1); }) != 1)
                return;
            std::this_thread::sleep_for(grace);
            std::_Exit(1);
        })
        .detach();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
}

} // namespace brood::detail
