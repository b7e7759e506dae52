// SPDX-License-Identifier: BSL-1.0
#include <brood/base/task.hpp>
#include <brood/version.hpp>

#include <cstdio>

brood::task<> print_version()
{
    co_await brood::sleep(std::chrono::milliseconds(1));
    std::printf("%d.%d.%d\n", brood::version.major, brood::version.minor, brood::version.patch);
}
