// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace brood::test
{

using clock = std::chrono::steady_clock;

/// A limit as long as this run needs it: BROOD_TEST_PATIENCE says how much slower than usual it is
/// (sanitizers, valgrind).
clock::duration patient(clock::duration limit);

/// Waits until the condition holds, and says whether it came true before the limit.
///
/// Blocks the thread: nothing runs on a loop of this thread meanwhile.
bool wait_until(clock::duration limit, const std::function<bool()>& condition);

/// The same for a coroutine: the loop goes on while it waits.
task<bool> eventually(clock::duration limit, std::function<bool()> condition);

// Not by a conversion: g++ 12 would destroy the condition twice in an await.
template <class Condition>
task<bool> eventually(clock::duration limit, Condition condition)
{
    return eventually(limit, std::function<bool()>(std::move(condition)));
}

} // namespace brood::test
