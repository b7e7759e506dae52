// SPDX-License-Identifier: BSL-1.0
#include "support/patience.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace brood::test
{

clock::duration patient(clock::duration limit)
{
    const char* factor = std::getenv("BROOD_TEST_PATIENCE");
    return limit * (factor != nullptr ? std::max(1, std::atoi(factor)) : 1);
}

bool wait_until(clock::duration limit, const std::function<bool()>& condition)
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

task<bool> eventually(clock::duration limit, std::function<bool()> condition)
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
