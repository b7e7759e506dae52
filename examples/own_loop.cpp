// SPDX-License-Identifier: BSL-1.0
// brood in a program that has an Asio loop of its own: every function takes an executor first.
//
// Prints:
//   process <n> ended with code 5
//   a timer of the program still runs
#include <brood/brood.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <iostream>

brood::task<> watch(asio::any_io_executor executor)
{
    auto child = brood::spawn(executor, "sh", {"-c", "exit 5"});
    auto ended = co_await child.exit();
    std::cout << ended << '\n';
}

int main()
{
    if (auto code = brood::run_entry()) // only for programs that call fork<entry>()
        return *code;

    asio::io_context loop;
    asio::steady_timer timer(loop, std::chrono::milliseconds(300));
    timer.async_wait([](std::error_code) { std::cout << "a timer of the program still runs\n"; });
    asio::co_spawn(loop, watch(loop.get_executor()), asio::detached);

    loop.run();
}
