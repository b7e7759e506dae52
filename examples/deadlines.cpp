// SPDX-License-Identifier: BSL-1.0
// Calls that take too long: asked to stop, and if they do not, their worker is killed and replaced.
//
// Prints:
//   patient: 3 steps of 3
//   the call with (1000000000) was late: its worker is asked to stop it
//   it stopped by itself: 0 workers were killed
//   the call with () was late: its worker is asked to stop it
//   it never asked: 1 worker was killed, and another has its place
#include <brood/brood.hpp>
#include <brood/pool.hpp>

#include <chrono>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

int work(int steps)
{
    auto call = brood::this_call();
    int done = 0;
    for (; done < steps && !call.cancelled(); ++done)
        std::this_thread::sleep_for(1ms);
    return done;
}

void work_for_ever()
{
    for (;;)
        std::this_thread::sleep_for(1h);
}

template <class Pool>
brood::task<> wait_until_idle(Pool& pool)
{
    while (pool.stats().running != 0)
        co_await brood::sleep(1ms);
}

brood::task<> parent()
{
    brood::pool_settings one;
    one.size = 1;
    brood::pool<work> calls(one);
    auto done = co_await calls.with({.deadline = 10s})(3);
    std::cout << "patient: " << done << " steps of 3\n";
    try
    {
        co_await calls.with({.deadline = 100ms})(1'000'000'000);
    }
    catch (const brood::error& late)
    {
        std::cout << late.text() << '\n';
    }
    co_await wait_until_idle(calls);
    std::cout << "it stopped by itself: " << calls.stats().workers.exits
              << " workers were killed\n";

    one.grace = 100ms;
    brood::pool<work_for_ever> deaf(one);
    co_await deaf.ready();
    try
    {
        co_await deaf.with({.deadline = 100ms})();
    }
    catch (const brood::error& late)
    {
        std::cout << late.text() << '\n';
    }
    co_await wait_until_idle(deaf);
    co_await deaf.ready();
    std::cout << "it never asked: " << deaf.stats().workers.exits
              << " worker was killed, and another has its place\n";
}

int main()
{
    return brood::run(parent);
}
