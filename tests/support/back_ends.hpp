// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launcher.hpp>
#include <brood/process/detail/reaper.hpp>

#include <cstdlib>
#include <string>
#include <string_view>

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

inline void use_back_ends(const back_ends& ways)
{
    detail::forced_launcher = ways.start;
    detail::forced_watching = ways.watch;
    detail::without_close_range = !ways.close_range;
    detail::without_fd_listing = !ways.fd_listing;
}

/// Those that BROOD_TEST_BACK_ENDS names, one word each: the build runs tests on others than the
/// best of this system. Children that are copies of the test inherit it.
inline back_ends asked_back_ends()
{
    auto value = std::getenv("BROOD_TEST_BACK_ENDS");
    std::string words = std::string(" ") + (value != nullptr ? value : "") + ' ';
    auto named = [&words](std::string_view word)
    {
        return words.find(' ' + std::string(word) + ' ') != std::string::npos;
    };
    back_ends result;
    if (named("posix_spawn"))
        result.start = detail::launcher::posix_spawn;
    if (named("fork"))
        result.start = detail::launcher::fork;
    if (named("sigchld"))
        result.watch = detail::watching::sigchld;
    result.close_range = !named("no_close_range");
    result.fd_listing = !named("no_fd_listing");
    return result;
}

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
