// SPDX-License-Identifier: BSL-1.0
// Computes Fibonacci numbers, one for each number that its parent sends.
#include "answer.hpp"

#include <brood/brood.hpp>

std::uint64_t fibonacci(int num)
{
    return num < 2 ? static_cast<std::uint64_t>(num) : fibonacci(num - 1) + fibonacci(num - 2);
}

brood::task<> serve(brood::process& self)
{
    while (auto num = co_await self.message<int>())
        self.send(answer{*num, fibonacci(*num), self.pid()});
}

int main()
{
    return brood::run(serve);
}
