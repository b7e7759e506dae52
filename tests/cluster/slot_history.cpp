// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/slot_history.hpp>

#include "support/catch.hpp"

#include <chrono>

using namespace std::chrono_literals;
using brood::duration_histogram;
using brood::exit_cause;
using brood::slot_history;

TEST_CASE("times are counted in the class that they do not exceed, and in all longer ones",
          "[slot_history]")
{
    duration_histogram times;
    CHECK(times.count() == 0);

    times.add(0ms);
    times.add(duration_histogram::bounds.front());
    times.add(duration_histogram::bounds.front() + 1ms);
    times.add(duration_histogram::bounds.back());
    times.add(1h);

    auto last = duration_histogram::bounds.size() - 1;
    CHECK(times.up_to(0) == 2);
    CHECK(times.up_to(1) == 3);
    CHECK(times.up_to(last) == 4);
    CHECK(times.up_to(last + 1) == 5);
    CHECK(times.count() == 5);
    CHECK(times.sum() == 1h + 60s + 11ms);
}

TEST_CASE("a history counts ends by their cause", "[slot_history]")
{
    slot_history history;
    ++history.exits[static_cast<std::size_t>(exit_cause::stopped)];

    CHECK(history.ended_by(exit_cause::stopped) == 1);
    CHECK(history.ended_by(exit_cause::exited) == 0);
}
