// SPDX-License-Identifier: BSL-1.0
// Microseconds from the start of a program to its collected end.
//
// usage: spawn COUNT [MEGABYTES OF MEMORY IN USE]
#include "measure.hpp"

#include <brood/brood.hpp>

namespace
{

long count = 500;
long megabytes = 0;

brood::task<> start_and_end(long times)
{
    for (long time = 0; time < times; ++time)
    {
        auto child = brood::spawn("/bin/true");
        auto status = co_await child.exit();
        if (!status.success())
            std::abort();
    }
}

brood::task<> parent()
{
    auto memory = bench::dirty_memory(megabytes);
    co_await start_and_end(count / 10);
    bench::stopwatch watch;
    co_await start_and_end(count);
    bench::report(watch.seconds() / static_cast<double>(count) * 1e6);
}

} // namespace

int main(int argc, char** argv)
{
    count = bench::argument(argc, argv, 1, count);
    megabytes = bench::argument(argc, argv, 2, megabytes);
    return brood::run(parent);
}
