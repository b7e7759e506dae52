// SPDX-License-Identifier: BSL-1.0
#include <brood/process/detail/start.hpp>

#include <brood/base/loop.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <sys/wait.h>

#include <chrono>

using namespace std::chrono_literals;
using brood::task;

TEST_WITHIN(20s, "nobody learns of an end before the one who started the child goes on", "[start]")
{
    brood::spawn_options options;
    auto child = brood::detail::start(brood::default_executor(), "true", {}, options);
    siginfo_t seen{};
    auto pid = static_cast<id_t>(child->process.pid());
    REQUIRE(::waitid(P_PID, pid, &seen, WEXITED | WNOWAIT) == 0);

    brood::detail::begin_watch(child, options);
    CHECK_FALSE(child->exited.ready());

    auto status = co_await child->exited.get();
    CHECK(status.success());
}
