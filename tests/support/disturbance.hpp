// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/within.hpp"

#include <chrono>

namespace brood::test
{

/// What happens to a child and its parent in the middle of a race.
enum class disturbance
{
    none,
    stopped_child, ///< The child stands still for a moment, while its parent goes on.
    busy_parent,   ///< The loop of the parent stands still for a moment, while the child goes on.
};

/// Disturbs a child of ours, or its parent; a child that has ended cannot be.
void disturb(disturbance how, pid_t child);

/// Runs a body that takes a disturbance 50 times undisturbed, and then once with each of them.
template <class Body>
void raced(Body body, clock::duration limit = std::chrono::seconds(10))
{
    for (int round = 0; round < 50; ++round)
    {
        INFO("round " << round);
        within(limit, [&body] { return body(disturbance::none); });
    }
    for (auto how : {disturbance::stopped_child, disturbance::busy_parent})
    {
        INFO("disturbance " << static_cast<int>(how));
        within(limit, [&body, how] { return body(how); });
    }
}

} // namespace brood::test
