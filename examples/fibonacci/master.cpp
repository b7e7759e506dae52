// SPDX-License-Identifier: BSL-1.0
// One fib process per core but one, each with a random number, and one log that prints the answers.
//
// Prints, once for each fib process:
//   log <n>: fibonacci(<n>) = <n>, computed by <n>
#include "answer.hpp"

#include <brood/brood.hpp>
#include <brood/os/cpu.hpp>

#include <algorithm>
#include <random>
#include <vector>

brood::task<> master()
{
    auto log = brood::fork("./log");
    auto cores = brood::os::available_parallelism();
    std::vector<brood::forked_process> workers(std::max(1u, cores - 1));
    std::random_device random;

    for (auto& worker : workers)
    {
        worker = brood::fork("./fib");
        worker.send(static_cast<int>(random() % 30));
    }
    for (auto& worker : workers)
    {
        auto reply = co_await worker.message<answer>();
        log.send(reply.value());
    }

    log.disconnect();
    co_await log.exit();
}

int main()
{
    return brood::run(master);
}
