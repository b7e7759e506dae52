// SPDX-License-Identifier: BSL-1.0
// Prints the answers that its parent hands on.
#include "answer.hpp"

#include <brood/brood.hpp>

#include <iostream>

brood::task<> print(brood::process& self)
{
    while (auto line = co_await self.message<answer>())
        std::cout << "log " << self.pid() << ": fibonacci(" << line->num << ") = " << line->value
                  << ", computed by " << line->pid << '\n';
}

int main()
{
    return brood::run(print);
}
