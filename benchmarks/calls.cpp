// SPDX-License-Identifier: BSL-1.0
// Calls a second, with many under way at once.
//
// usage: calls [COUNT [UNDER WAY]]
#include "measure.hpp"

#include <brood/brood.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

namespace
{

long count = 100'000;
long under_way = 64;

int next(int number)
{
    return number + 1;
}

brood::task<> serve(brood::process& self)
{
    co_await self.serve(next);
}

brood::task<> call_again_and_again(brood::forked_process& child, long times, long& running)
{
    for (int number = 0; number < times; ++number)
    {
        auto reply = co_await child.call<int>(number);
        if (reply != number + 1)
            std::abort();
    }
    --running;
}

brood::task<> parent()
{
    auto child = brood::fork<serve>();
    auto executor = co_await asio::this_coro::executor;
    long running = 1;
    co_await call_again_and_again(child, 1000, running);
    bench::stopwatch watch;
    running = under_way;
    for (long each = 0; each < under_way; ++each)
        asio::co_spawn(executor, call_again_and_again(child, count / under_way, running),
                       asio::detached);
    while (running != 0)
        co_await brood::sleep(std::chrono::microseconds(100));
    bench::report(static_cast<double>(count) / watch.seconds());
}

} // namespace

int main(int argc, char** argv)
{
    count = bench::argument(argc, argv, 1, count);
    under_way = bench::argument(argc, argv, 2, under_way);
    return brood::run(parent);
}
