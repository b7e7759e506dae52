// SPDX-License-Identifier: BSL-1.0
// Microseconds for a message of 64 bytes to a child and back.
//
// usage: [BENCH_BUSY_POLL=MICROSECONDS] round_trip [ROUNDS]
#include "measure.hpp"
#include "messages.hpp"

#include <brood/brood.hpp>

namespace
{

long rounds = 20'000;

brood::task<> echo(brood::process& self)
{
    while (auto message = co_await self.message<bench::block>())
        self.send(*message);
}

brood::task<> ping(brood::forked_process& child, long count)
{
    bench::block message;
    for (long round = 0; round < count; ++round)
    {
        child.send(message);
        auto reply = co_await child.message<bench::block>();
        if (!reply)
            std::abort();
    }
}

brood::task<> parent()
{
    auto child = brood::fork<echo>();
    co_await ping(child, rounds / 10);
    bench::stopwatch watch;
    co_await ping(child, rounds);
    bench::report(watch.seconds() / static_cast<double>(rounds) * 1e6);
}

} // namespace

int main(int argc, char** argv)
{
    rounds = bench::argument(argc, argv, 1, rounds);
    brood::run_options options;
    auto busy = std::getenv("BENCH_BUSY_POLL"); // the child has no arguments
    options.busy_poll = std::chrono::microseconds(busy != nullptr ? std::atol(busy) : 0);
    return brood::run(parent, options);
}
