// SPDX-License-Identifier: BSL-1.0
// A child that answers requests; what its handler throws reaches the caller.
//
// Prints:
//   7 / 2 = 3.5
//   the child refused: division by zero
#include <brood/brood.hpp>

#include <iostream>
#include <stdexcept>

struct quotient
{
    double dividend = 0;
    double divisor = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(dividend, divisor);
    }
};

double divide(quotient of)
{
    if (of.divisor == 0)
        throw std::domain_error("division by zero");
    return of.dividend / of.divisor;
}

brood::task<> divider(brood::process& self) // runs in the child
{
    co_await self.serve(divide);
}

brood::task<> parent() // runs here
{
    auto child = brood::fork<divider>();

    quotient possible{7, 2};
    auto result = co_await child.call<double>(possible);
    std::cout << "7 / 2 = " << result << '\n';

    quotient impossible{1, 0};
    try
    {
        co_await child.call<double>(impossible);
    }
    catch (const brood::remote_error& error)
    {
        std::cout << "the child refused: " << error.message() << '\n';
    }
}

int main()
{
    return brood::run(parent);
}
