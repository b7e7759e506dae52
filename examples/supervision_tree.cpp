// SPDX-License-Identifier: BSL-1.0
// A tree of supervisors. The front needs the store: when the store dies, the front ends too, the
// last first, and both come back in order. Inside the front, each child is on its own.
//
// Prints:
//   front/web: process <n> was ended by SIGKILL after <n> ms
//   store: process <n> was ended by SIGKILL after <n> ms
//   front/web: process <n> ended with code 0 after <n> ms (stopped)
//   front: taken down
//   store was started 2 times, front 2 times
#include <brood/brood.hpp>

#include <csignal>
#include <iostream>

brood::task<> work(brood::process& self) // runs in the workers
{
    self.ready();
    co_await self.shutdown();
}

brood::task<> primary() // runs here
{
    brood::supervisor front(brood::strategy::one_for_one);
    front.add<work>("web");
    brood::supervisor top(brood::strategy::rest_for_one);
    top.add<work>("store").add("front", std::move(front));
    top.start();
    co_await top.ready();

    top.worker("front/web").kill(SIGKILL);
    auto ended = co_await top.exit();
    std::cout << *ended << '\n';
    co_await top.ready();

    top.worker("store").kill(SIGKILL);
    for (int end = 0; end < 3; ++end)
    {
        ended = co_await top.exit();
        std::cout << *ended << '\n';
    }
    co_await top.ready();
    auto children = top.children();
    std::cout << "store was started " << children[0].starts << " times, front "
              << children[1].starts << " times\n";
    co_await top.stop();
}

int main()
{
    return brood::run(primary);
}
