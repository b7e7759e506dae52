// SPDX-License-Identifier: BSL-1.0
// A call that crashes takes its worker with it, and nothing else: its caller learns how, the other
// calls have their results.
//
// Prints:
//   1 / 1 = 1
//   1 / 0: with the arguments (1, 0) process <n> was ended by SIGFPE
//   1 / 2 = 0
//   once more, elsewhere: at attempt 2
#include <brood/brood.hpp>
#include <brood/pool.hpp>

#include <csignal>
#include <iostream>

int divide(int number, int by)
{
    if (by == 0)
        std::raise(SIGFPE); // as the processor does, when it divides
    return number / by;
}

unsigned crashes_once()
{
    if (brood::this_call().attempt() == 1)
        std::raise(SIGSEGV);
    return brood::this_call().attempt();
}

brood::task<> parent()
{
    brood::pool<divide> quotients;
    for (int by : {1, 0, 2})
    {
        try
        {
            auto result = co_await quotients(1, by);
            std::cout << "1 / " << by << " = " << result << '\n';
        }
        catch (const brood::worker_lost& lost)
        {
            std::cout << "1 / " << by << ": with the arguments " << lost.arguments() << ' '
                      << lost.ended().status << '\n';
        }
    }

    // A call that may run more than once is tried again.
    brood::pool<crashes_once> calls;
    auto attempt = co_await calls.with({.attempts = brood::at_least_once(3)})();
    std::cout << "once more, elsewhere: at attempt " << attempt << '\n';
}

int main()
{
    return brood::run(parent);
}
