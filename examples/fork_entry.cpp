// SPDX-License-Identifier: BSL-1.0
// A function of this program that runs in a process of its own, with arguments and an exit code.
//
// Prints:
//   parent <n> forked <n>
//   child <n> says: hello, world
//   process <n> ended with code 3
#include <brood/brood.hpp>

#include <iostream>
#include <string>

brood::task<int> greet(brood::process& self, std::string whom, int code) // runs in the child
{
    self.send("hello, " + whom);
    co_return code;
}

brood::task<> parent() // runs here
{
    auto child = brood::fork<greet>("world", 3);
    std::cout << "parent " << ::getpid() << " forked " << child.pid() << '\n';

    auto greeting = co_await child.message<std::string>();
    std::cout << "child " << child.pid() << " says: " << greeting.value() << '\n';

    auto ended = co_await child.exit();
    std::cout << ended << '\n';
}

int main()
{
    return brood::run(parent);
}
