// SPDX-License-Identifier: BSL-1.0
// Coroutines that are started together and awaited together: the first failure ends the others.
//
// Prints:
//   the pid of one child, the answer of another: <n>, 42
//   9 commands, 3 at a time
//   process <n> (exit 3) ended with code 3; nobody waits for the others
#include <brood/brood.hpp>

#include <algorithm>
#include <iostream>
#include <stdexcept>

brood::task<int> number_from(std::string command)
{
    auto ended = co_await brood::exec(command);
    co_return std::stoi(ended.out);
}

brood::task<> parent()
{
    // Two results at once, of any types.
    auto results = co_await brood::all(number_from("echo $$"), number_from("echo 42"));
    auto& [pid, answer] = results;
    std::cout << "the pid of one child, the answer of another: " << pid << ", " << answer << '\n';

    // Many, a few at a time.
    int running = 0, most = 0, done = 0;
    auto command = [&]() -> brood::task<>
    {
        most = std::max(most, ++running);
        co_await brood::exec("sleep 0.01");
        --running, ++done;
    };
    brood::task_group commands(3);
    for (int number = 0; number < 9; ++number)
        commands.start(command);
    co_await commands.join();
    std::cout << done << " commands, " << most << " at a time\n";

    // The first exception cancels the others, and comes out.
    brood::task_group watched;
    watched.start([]() -> brood::task<> { co_await brood::exec("sleep 1000"); });
    watched.start(
        []() -> brood::task<>
        {
            auto ended = co_await brood::exec("exit 3");
            if (!ended.success())
                throw std::runtime_error(to_string(ended));
        });
    try
    {
        co_await watched.join();
    }
    catch (const std::exception& error)
    {
        std::cout << error.what() << "; nobody waits for the others\n";
    }
}

int main()
{
    return brood::run(parent);
}
