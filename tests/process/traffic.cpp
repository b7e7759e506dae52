// SPDX-License-Identifier: BSL-1.0
#include <brood/process/traffic.hpp>

#include <brood/process/process.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <limits>
#include <thread>
#include <vector>

using brood::traffic_counters;
using brood::traffic_of_this_process;
using brood::traffic_stats;

namespace
{

void count_everything(traffic_counters& counters)
{
    counters.count_connection();
    counters.count_connection();
    counters.count_closed_connection();
    counters.count_begun_request();
    counters.count_begun_request();
    counters.count_request();
    counters.count_failed_request();
    counters.count_received(10);
    counters.count_sent(2000);
}

} // namespace

TEST_CASE("what a server counts is told as one value", "[traffic]")
{
    traffic_counters counters;
    CHECK_FALSE(counters.read().any());

    count_everything(counters);
    auto told = counters.read();

    CHECK(told.any());
    CHECK(told.connections == 2);
    CHECK(told.open_connections == 1);
    CHECK(told.requests == 1);
    CHECK(told.open_requests == 1);
    CHECK(told.failed_requests == 1);
    CHECK(told.bytes_received == 10);
    CHECK(told.bytes_sent == 2000);
}

TEST_CASE("a process that is no worker has its own figures", "[traffic]")
{
    auto before = brood::process::traffic();
    auto& here = traffic_of_this_process();

    here.count_sent(7);

    CHECK(brood::process::traffic().bytes_sent == before.bytes_sent + 7);
    CHECK(brood::process::traffic() == here.read());
}

TEST_CASE("counting allocates nothing", "[traffic]")
{
    traffic_stats told;
    auto cost = allocated_by(
        [&]
        {
            for (int count = 0; count < 1000; ++count)
                count_everything(traffic_of_this_process());
            told = brood::process::traffic();
        });

    CHECK(cost.count == 0);
    CHECK(told.requests >= 1000);
}

#ifdef __linux__
TEST_CASE("counting makes no system call", "[traffic]")
{
    auto child = ::fork();
    if (child == 0)
    {
        // From here on the kernel kills it at any call but read, write and exit.
        if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            ::_exit(77);
        for (int count = 0; count < 1000; ++count)
            count_everything(traffic_of_this_process());
        ::syscall(SYS_exit, traffic_of_this_process().read().requests >= 1000 ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        WARN("no seccomp here: whether there are system calls was not tested");
    else
        CHECK(status == 0);
}
#endif

TEST_CASE("any thread may count, and nothing is lost", "[traffic]")
{
    traffic_counters counters;
    std::vector<std::thread> servers;
    for (int number = 0; number < 4; ++number)
        servers.emplace_back(
            [&]
            {
                for (int count = 0; count < 10'000; ++count)
                    count_everything(counters);
            });
    for (auto& each : servers)
        each.join();

    CHECK(counters.read().requests == 40'000);
    CHECK(counters.read().open_connections == 40'000);
}

TEST_CASE("more connections closed than opened are none that are open", "[traffic]")
{
    traffic_counters counters;
    counters.count_closed_connection();

    CHECK(counters.read().open_connections == 0);
}

TEST_CASE("what was counted before moves along", "[traffic]")
{
    brood::detail::traffic_cells elsewhere = {};
    traffic_counters counters;
    count_everything(counters);
    auto before = counters.read();

    counters.move_to(elsewhere);
    CHECK(counters.read() == before);
    counters.move_to(elsewhere);
    CHECK(counters.read() == before);
    counters.count_request();

    CHECK(elsewhere[static_cast<std::size_t>(brood::detail::traffic_cell::requests)] == 2);
}

TEST_CASE("a sum stays at the largest number instead of beginning again", "[traffic]")
{
    traffic_stats huge;
    huge.requests = std::numeric_limits<std::uint64_t>::max() - 1;
    traffic_stats more;
    more.requests = 3;
    more.bytes_sent = 4;

    huge += more;
    huge += more;

    CHECK(huge.requests == std::numeric_limits<std::uint64_t>::max());
    CHECK(huge.bytes_sent == 8);
}
