// SPDX-License-Identifier: BSL-1.0
// Commands that are run to their end: what they print, what they are given, and a time limit.
//
// Prints:
//   2 lines
//   HELLO
//   process <n> (echo something went wrong >&2; exit 3) ended with code 3: something went wrong
//   process <n> (sleep 1000 | cat) was ended by SIGTERM because it took too long
#include <brood/brood.hpp>

#include <iostream>

using namespace std::chrono_literals;

brood::task<> commands()
{
    auto counted = co_await brood::exec("printf 'a\\nb\\n' | wc -l");
    std::cout << std::stoi(counted.out) << " lines\n";

    auto given = brood::exec_options().input("hello");
    auto shouted = co_await brood::exec_file("tr", {"a-z", "A-Z"}, given);
    std::cout << shouted.out << '\n';

    auto failed = co_await brood::exec("echo something went wrong >&2; exit 3");
    std::cout << failed << '\n';

    auto limited = brood::exec_options().timeout(100ms);
    auto late = co_await brood::exec("sleep 1000 | cat", limited);
    std::cout << late << '\n';
}

int main()
{
    return brood::run(commands);
}
