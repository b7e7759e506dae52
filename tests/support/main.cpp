// SPDX-License-Identifier: BSL-1.0
#include "support/session.hpp"

#if __has_include(<brood/process/run.hpp>)
#include <brood/process/run.hpp>
#endif

int main(int argc, char** argv)
{
    // A test forks its own program: that copy runs the entry it was started for, and no test.
#if __has_include(<brood/process/run.hpp>)
    if (auto code = brood::run_entry())
        return *code;
#endif
    return run_tests(argc, argv);
}
