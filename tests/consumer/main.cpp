// SPDX-License-Identifier: BSL-1.0
// A program of somebody else, who knows brood only as a dependency of their build.
#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>

#include <cstdio>

brood::task<> print_version(); // in another file: headers may be included by any number of them

int main()
{
    asio::io_context loop;
    asio::co_spawn(loop, print_version(), asio::detached);
    return loop.run() > 0 ? 0 : 1;
}
