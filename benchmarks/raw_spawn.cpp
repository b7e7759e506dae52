// SPDX-License-Identifier: BSL-1.0
// The limit of spawn: posix_spawn and waitpid.
//
// usage: raw_spawn COUNT [MEGABYTES OF MEMORY IN USE]
#include "measure.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

void start_and_end(long times)
{
    char name[] = "/bin/true";
    char* arguments[] = {name, nullptr};
    for (long time = 0; time < times; ++time)
    {
        pid_t pid = 0;
        if (::posix_spawn(&pid, name, nullptr, nullptr, arguments, environ) != 0)
            std::abort();
        ::waitpid(pid, nullptr, 0);
    }
}

} // namespace

int main(int argc, char** argv)
{
    auto count = bench::argument(argc, argv, 1, 500);
    auto memory = bench::dirty_memory(bench::argument(argc, argv, 2, 0));
    start_and_end(count / 10);
    bench::stopwatch watch;
    start_and_end(count);
    bench::report(watch.seconds() / static_cast<double>(count) * 1e6);
}
