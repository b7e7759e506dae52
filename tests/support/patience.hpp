// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace brood::test
{

using clock = std::chrono::steady_clock;

/// A limit as long as this run needs it: BROOD_TEST_PATIENCE says how much slower than usual it is
/// (sanitizers, valgrind).
inline clock::duration patient(clock::duration limit)
{
    const char* factor = std::getenv("BROOD_TEST_PATIENCE");
    return limit * (factor != nullptr ? std::max(1, std::atoi(factor)) : 1);
}

/// Waits until the condition holds, and says whether it came true before the limit.
///
/// Blocks the thread: nothing runs on a loop of this thread meanwhile.
template <class Condition>
bool wait_until(clock::duration limit, Condition condition)
{
    auto deadline = clock::now() + patient(limit);
    while (!condition())
    {
        if (clock::now() >= deadline)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

/// The same for a coroutine: the loop goes on while it waits.
template <class Condition>
task<bool> eventually(clock::duration limit, Condition condition)
{
    auto deadline = clock::now() + patient(limit);
    while (!condition())
    {
        if (clock::now() >= deadline)
            co_return false;
        co_await sleep(std::chrono::milliseconds(1));
    }
    co_return true;
}

} // namespace brood::test
