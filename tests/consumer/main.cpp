// SPDX-License-Identifier: BSL-1.0
// A program of somebody else, who knows brood only as a dependency of their build: it asks another
// process of itself for the version.
#include "version.hpp"

#include <brood/brood.hpp>

#include <cereal/types/string.hpp>

#include <iostream>
#include <string>

brood::task<> ask()
{
    auto child = brood::fork<tell_version>();

    auto version = co_await child.message<std::string>();
    std::cout << version.value() << '\n';

    co_await child.exit();
}

int main()
{
    return brood::run(ask);
}
