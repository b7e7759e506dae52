// SPDX-License-Identifier: BSL-1.0
#include "support/back_ends.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

namespace brood::test
{

void use_back_ends(const back_ends& ways)
{
    detail::forced_launcher = ways.start;
    detail::forced_watching = ways.watch;
    detail::without_close_range = !ways.close_range;
    detail::without_fd_listing = !ways.fd_listing;
}

back_ends asked_back_ends()
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

} // namespace brood::test
