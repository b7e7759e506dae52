// SPDX-License-Identifier: BSL-1.0
// A program that runs while its parent talks to it over its standard streams.
//
// Prints:
//   2+3 is 5
//   4*5 is 20
//   process <n> ended with code 0
#include <brood/brood.hpp>

#include <iostream>
#include <string>

brood::task<> talk()
{
    brood::spawn_options options;
    options.stdin_ = brood::stdio::pipe();
    options.stdout_ = brood::stdio::pipe();
    auto shell = brood::spawn("sh", {"-c", "while read sum; do echo $(($sum)); done"}, options);

    for (std::string sum : {"2+3", "4*5"})
    {
        co_await shell.in().write(sum + '\n');
        auto answer = co_await shell.out().read_line();
        std::cout << sum << " is " << answer.value() << '\n';
    }

    shell.in().close();
    auto ended = co_await shell.exit();
    std::cout << ended << '\n';
}

int main()
{
    return brood::run(talk);
}
