// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launcher.hpp>
#include <brood/process/detail/reaper.hpp>

namespace brood::test
{

/// The ways in which this program starts and watches its children.
struct back_ends
{
    detail::launcher start = detail::launcher::automatic;
    detail::watching watch = detail::watching::automatic;
    bool close_range = true; ///< Whether the kernel has it (Linux 5.11).
    bool fd_listing = true;  ///< Whether there is /proc/self/fd.
};

void use_back_ends(const back_ends& ways);

/// Those that BROOD_TEST_BACK_ENDS names, one word each: the build runs tests on others than the
/// best of this system. Children that are copies of the test inherit it.
back_ends asked_back_ends();

/// Takes these as long as it lives, then those that were asked for.
class forced_back_ends
{
public:
    explicit forced_back_ends(const back_ends& ways) { use_back_ends(ways); }

    ~forced_back_ends() { use_back_ends(asked_back_ends()); }

    forced_back_ends(const forced_back_ends&) = delete;
    forced_back_ends& operator=(const forced_back_ends&) = delete;
};

} // namespace brood::test
