// SPDX-License-Identifier: BSL-1.0
#include "support/back_ends.hpp"
#include "support/fixture.hpp"
#include "support/process_table.hpp"
#include "support/session.hpp"

#include <csignal>

#include <brood/process/run.hpp>

int main(int argc, char** argv)
{
    brood::test::use_back_ends(brood::test::asked_back_ends());
    // A test forks its own program: that copy runs the entry it was started for, and no test.
    if (auto code = brood::run_entry())
        return *code;
    auto result = run_tests(argc, argv);
    brood::test::run_at_end();
    // A failed test may leave children; whoever reads our output would wait for them for ever.
    for (auto& child : brood::test::children())
        ::kill(child.pid, SIGKILL);
    return result;
}
