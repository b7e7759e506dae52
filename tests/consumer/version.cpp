// SPDX-License-Identifier: BSL-1.0
#include <brood/base/task.hpp>
#include <brood/version.hpp>

#include <cstdio>

brood::task<> print_version()
{
    co_await brood::sleep(std::chrono::milliseconds(1));
    std::printf("%d.%d.%d\n", brood::current_version.major, brood::current_version.minor, brood::current_version.patch);
}
