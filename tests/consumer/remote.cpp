// SPDX-License-Identifier: BSL-1.0
// Somebody else's program whose workers may run elsewhere: it names the launcher, starts none and
// prints the version.
#include <brood/brood.hpp>
#include <brood/remote.hpp>

#include <iostream>

int main()
{
    auto launcher = brood::ssh({"n1:2"});
    if (launcher->name().empty())
        return 1;

    auto version = brood::current_version;
    std::cout << version.major << '.' << version.minor << '.' << version.patch << '\n';
}
