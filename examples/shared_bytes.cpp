// SPDX-License-Identifier: BSL-1.0
// A large block of memory that a child reads without a copy of it.
//
// Prints:
//   the child counted <n> bytes of value 7 in 268435456 bytes
#include <brood/brood.hpp>

#include <algorithm>
#include <cstddef>
#include <iostream>

using job = brood::carrying<int, brood::shared_bytes>; // count bytes of this value in this block

brood::task<> count(brood::process& self) // runs in the child
{
    while (auto taken = co_await self.message<job>())
    {
        auto bytes = taken->object().bytes();
        self.send(std::count(bytes.begin(), bytes.end(), static_cast<std::byte>(taken->message)));
    }
}

brood::task<> parent() // runs here
{
    auto block = brood::shared_bytes::filled(
        256 << 20, [](std::span<std::byte> bytes)
        { std::fill(bytes.begin(), bytes.begin() + 1000, std::byte{7}); });
    auto child = brood::fork<count>();

    child.send(7, block);
    auto counted = co_await child.message<std::ptrdiff_t>();

    std::cout << "the child counted " << counted.value() << " bytes of value 7 in " << block.size()
              << " bytes\n";
}

int main()
{
    return brood::run(parent);
}
