// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/command_options.hpp>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using brood::command_options;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("Options of a command that cannot be meant are refused", "[command_options]")
{
    command_options options;
    CHECK_THROWS_WITH(options.check(), ContainsSubstring("needs a command"));
    options.command = [](const brood::worker_program&)
    {
        return brood::launch_command();
    };
    options.check();
    options.orphan_grace = -1ms;
    CHECK_THROWS_WITH(options.check(), ContainsSubstring("orphan_grace"));
    options.orphan_grace = 0ms;
    options.join_within = 0ms;
    CHECK_THROWS_WITH(options.check(), ContainsSubstring("join_within"));
    options.join_within = 1ms;
    options.listen_on.clear();
    CHECK_THROWS_WITH(options.check(), ContainsSubstring("address"));
}
