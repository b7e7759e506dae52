// SPDX-License-Identifier: BSL-1.0
// Microseconds from fork() to the first message of the child; with `idle`, kilobytes of memory that
// a child which waits has to itself.
//
// usage: fork COUNT | fork idle
#include "measure.hpp"
#include "memory.hpp"

#include <brood/brood.hpp>

namespace
{

long count = 100;

brood::task<> greet(brood::process& self)
{
    self.send(1);
    co_await self.message<int>();
}

brood::task<> first_messages()
{
    double total = 0;
    for (long time = 0; time < count; ++time)
    {
        bench::stopwatch watch;
        auto child = brood::fork<greet>();
        co_await child.message<int>();
        total += watch.seconds();
        child.disconnect();
        co_await child.exit();
    }
    bench::report(total / static_cast<double>(count) * 1e6);
}

brood::task<> idle_child()
{
    auto child = brood::fork<greet>();
    co_await child.message<int>();
    bench::report(bench::private_kilobytes(child.pid()));
}

} // namespace

int main(int argc, char** argv)
{
    if (argc > 1 && std::string_view(argv[1]) == "idle")
        return brood::run(idle_child);
    count = bench::argument(argc, argv, 1, count);
    return brood::run(first_messages);
}
