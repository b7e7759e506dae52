// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/remote/detail/bootstrap.hpp>
#include <brood/remote/detail/input_lines.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// Does what the later lines on the stdin of a worker elsewhere say, and ends this process when
/// that has ended and some time has passed: whoever started it is gone, however busy its loop is.
inline void watch_launcher(descriptor input, std::chrono::milliseconds grace)
{
    // Signals are for the threads of the program.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread(
        [from = std::move(input), grace]
        {
            input_lines lines(from.get());
            while (auto line = lines.next())
                if (auto number = signal_of_line(*line))
                    ::kill(::getpid(), number);
            std::this_thread::sleep_for(grace);
            std::_Exit(1);
        })
        .detach();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace brood::detail
