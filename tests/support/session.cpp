// SPDX-License-Identifier: BSL-1.0
#define CATCH_CONFIG_RUNNER
#include "support/session.hpp"
#include "support/catch.hpp"

int run_tests(int argc, char** argv)
{
    return Catch::Session().run(argc, argv);
}
