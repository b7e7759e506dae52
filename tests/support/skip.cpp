// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/fixture.hpp"

#include <cstdio>

namespace brood::test
{

// In a file of its own: who starts a fixture without a test, as a benchmark does, needs no Catch2.
void skip(const std::string& why)
{
    std::printf("skipped: %s: %s\n", Catch::getResultCapture().getCurrentTestName().c_str(),
                why.c_str());
    std::fflush(stdout);
}

} // namespace brood::test
