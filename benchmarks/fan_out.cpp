// SPDX-License-Identifier: BSL-1.0
// Calls a second to many workers, with some under way to each at any time.
//
// usage: fan_out [WORKERS [UNDER WAY [COUNT]]]
#include "measure.hpp"

#include <brood/brood.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <vector>

namespace
{

long workers = 8;
long under_way = 16;
long count = 500'000;

int next(int number)
{
    return number + 1;
}

brood::task<> serve(brood::process& self)
{
    co_await self.serve(next);
}

brood::task<> call_again_and_again(brood::forked_process& worker, long times, long& running)
{
    for (int number = 0; number < times; ++number)
    {
        auto reply = co_await worker.call<int>(number);
        if (reply != number + 1)
            std::abort();
    }
    --running;
}

brood::task<> call_all(std::vector<brood::forked_process>& all, long times)
{
    auto executor = co_await asio::this_coro::executor;
    auto running = workers * under_way;
    for (auto& worker : all)
        for (long each = 0; each < under_way; ++each)
            asio::co_spawn(executor, call_again_and_again(worker, times, running), asio::detached);
    while (running != 0)
        co_await brood::sleep(std::chrono::microseconds(100));
}

brood::task<> parent()
{
    std::vector<brood::forked_process> all;
    for (long each = 0; each < workers; ++each)
        all.push_back(brood::fork<serve>());
    auto times = std::max(count / (workers * under_way), 1L);
    co_await call_all(all, times / 10 + 1);
    bench::stopwatch watch;
    co_await call_all(all, times);
    bench::report(static_cast<double>(times * workers * under_way) / watch.seconds());
}

} // namespace

int main(int argc, char** argv)
{
    workers = bench::argument(argc, argv, 1, workers);
    under_way = bench::argument(argc, argv, 2, under_way);
    count = bench::argument(argc, argv, 3, count);
    return brood::run(parent);
}
