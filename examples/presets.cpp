// SPDX-License-Identifier: BSL-1.0
// Three presets. A batch ends by itself when its work is done; a critical tree ends when it fails
// twice in a row; a program that is being written prints its lines with slot and pid.
//
// Prints:
//   worker 1 in slot 0: process <n> ended with code 1 after <n> ms, before it was ready
//   worker 2 in slot 0: process <n> ended with code 0 after <n> ms
//   the batch is done
//   heart: process <n> was ended by SIGKILL after <n> ms
//   head: process <n> ended with code 0 after <n> ms (taken down)
//   heart: process <n> was ended by SIGKILL after <n> ms
//   head: process <n> ended with code 0 after <n> ms (stopped)
//   the tree has ended: too many failures
//   [0.<n>] hello from a worker
#include <brood/brood.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

brood::task<> succeed_in_the_end(brood::process& self) // runs in a worker
{
    if (self.worker_id() == 1)
        std::exit(1);
    self.ready();
    co_return;
}

brood::task<> keep_ready(brood::process& self) // runs in a worker
{
    self.ready();
    co_await self.shutdown();
}

brood::task<> greet(brood::process& self) // runs in a worker
{
    std::puts("hello from a worker");
    co_await keep_ready(self);
}

brood::task<> run_batch()
{
    brood::cluster<succeed_in_the_end> batch(brood::preset::batch(1));
    while (auto ended = co_await batch.exit())
        std::cout << *ended << '\n';
    std::cout << "the batch is done\n";
}

brood::task<> run_tree()
{
    auto tree = brood::preset::critical_tree();
    tree.add<keep_ready>("head").add<keep_ready>("heart");
    tree.start();
    for (int failure = 0; failure < 2; ++failure)
    {
        co_await tree.ready();
        auto heart = tree.worker("heart");
        heart.kill(SIGKILL);
        co_await heart.exit();
    }
    try
    {
        while (auto ended = co_await tree.exit())
            std::cout << *ended << '\n';
    }
    catch (const brood::error& failed)
    {
        std::cout << "the tree has ended: " << failed.code().message() << '\n';
    }
}

brood::task<> run_dev()
{
    brood::cluster<greet> workers(brood::preset::dev());
    co_await workers.ready();
    co_await workers.stop();
}

brood::task<> primary() // runs here
{
    co_await run_batch();
    co_await run_tree();
    std::cout << std::flush;
    co_await run_dev();
}

int main()
{
    return brood::run(primary);
}
