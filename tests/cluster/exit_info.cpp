// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/exit_info.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <csignal>
#include <sstream>

using namespace std::chrono_literals;
using brood::exit_cause;
using brood::exit_info;

namespace
{

exit_info example()
{
    exit_info ended;
    ended.id = 7;
    ended.slot = 2;
    ended.status.pid = 4711;
    ended.uptime = 1530ms;
    ended.was_ready = true;
    return ended;
}

} // namespace

TEST_CASE("the end of a worker is told in a sentence", "[exit_info]")
{
    auto ended = example();
    std::ostringstream printed;
    printed << ended;
    CHECK(printed.str() == "worker 7 in slot 2: process 4711 ended with code 0 after 1530 ms");

    ended.status.signal = SIGKILL;
    ended.cause = exit_cause::signalled;
    CHECK(to_string(ended) ==
          "worker 7 in slot 2: process 4711 was ended by SIGKILL after 1530 ms");

    ended.cause = exit_cause::start_timeout;
    CHECK(to_string(ended) ==
          "worker 7 in slot 2: process 4711 was ended by SIGKILL after 1530 ms (start timeout)");

    ended.cause = exit_cause::oom;
    CHECK(to_string(ended) ==
          "worker 7 in slot 2: process 4711 was ended by SIGKILL after 1530 ms (out of memory)");

    ended.cause = exit_cause::limit;
    ended.reason = "ended by its limit of processor time (1 s)";
    CHECK(to_string(ended) == "worker 7 in slot 2: process 4711 was ended by SIGKILL after 1530 ms "
                              "(limit: ended by its limit of processor time (1 s))");
}

TEST_CASE("the sentence names the host of a worker elsewhere", "[exit_info]")
{
    auto ended = example();
    ended.host = "n3";
    CHECK(to_string(ended) == "worker 7 in slot 2 on n3: process 4711 ended with code 0 after 1530 "
                              "ms");
    ended.name = "front/web";
    CHECK(to_string(ended) == "front/web on n3: process 4711 ended with code 0 after 1530 ms");
}

TEST_CASE("the sentence says what the worker said, and that it was not ready", "[exit_info]")
{
    auto ended = example();
    ended.status.code = 3;
    ended.was_ready = false;
    CHECK(to_string(ended) ==
          "worker 7 in slot 2: process 4711 ended with code 3 after 1530 ms, before it was ready");

    ended.cause = exit_cause::gave_up;
    ended.reason = "no such database";
    CHECK(to_string(ended) == "worker 7 in slot 2: process 4711 ended with code 3 after 1530 ms "
                              "(gave up: no such database)");

    ended.cause = exit_cause::start_failed;
    ended.reason = "spawn './x': exec: No such file or directory";
    CHECK(to_string(ended) == "worker 7 in slot 2 did not start: spawn './x': exec: No such file "
                              "or directory");
}

TEST_CASE("what the cluster wanted is never a failure, whatever its code", "[exit_info]")
{
    auto ended = example();
    ended.status.signal = SIGKILL;
    for (auto cause :
         {exit_cause::recycled, exit_cause::replaced, exit_cause::scaled_down, exit_cause::stopped})
    {
        ended.cause = cause;
        CHECK(ended.wanted());
        CHECK_FALSE(ended.failed());
    }
    for (auto cause : {exit_cause::signalled, exit_cause::oom, exit_cause::limit,
                       exit_cause::gave_up, exit_cause::start_failed, exit_cause::start_timeout})
    {
        ended.cause = cause;
        CHECK_FALSE(ended.wanted());
        CHECK(ended.failed());
    }
}

TEST_CASE("a ready worker that returns with code 0 has not failed", "[exit_info]")
{
    auto ended = example();
    CHECK_FALSE(ended.failed());

    ended.status.code = 1;
    CHECK(ended.failed());

    ended.status.code = 0;
    ended.was_ready = false;
    CHECK(ended.failed());
}
