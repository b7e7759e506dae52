// SPDX-License-Identifier: BSL-1.0
// Many children at once, and many one after the other, leave nothing behind and no growth.
#include <brood/process/fork.hpp>

#include "support/catch.hpp"
#include "support/own_memory.hpp"
#include "support/within.hpp"

#include <cstdlib>
#include <vector>

using namespace std::chrono_literals;
using brood::task;
using brood::test::resident_memory;

namespace
{

// AddressSanitizer keeps what was freed for a while: memory grows until its store is full.
#if defined(__SANITIZE_ADDRESS__)
constexpr int at_once = 100, best_cycles = 500;
constexpr std::size_t growth = 256 << 20;
#else
constexpr int at_once = 1'000, best_cycles = 10'000;
constexpr std::size_t growth = 1 << 20;
#endif

task<> answer(brood::process& self)
{
    for (;;)
    {
        auto number = co_await self.message<int>();
        if (!number)
            break;
        self.send(*number + 1);
    }
}

task<> start_and_end(int count)
{
    for (int cycle = 0; cycle < count; ++cycle)
    {
        auto child = brood::fork("/bin/true");
        auto status = co_await child.exit();
        if (!status.success())
            FAIL("cycle " << cycle << ": " << to_string(status));
    }
}

} // namespace

TEST_WITHIN(120s, "a thousand children are started, messaged and ended at once", "[many_children]")
{
    std::vector<brood::forked_process> children;
    for (int count = 0; count < at_once; ++count)
    {
        children.push_back(brood::fork<answer>());
        children.back().send(count);
    }
    int expected = 0;
    for (auto& child : children)
    {
        auto reply = co_await child.message<int>();
        CHECK(reply == ++expected);
        child.disconnect();
    }
    for (auto& child : children)
    {
        auto status = co_await child.exit();
        CHECK(status.success());
    }
}

TEST_CASE("ten thousand starts and ends leave no growth", "[many_children][node-B26]")
{
    // The other ways to start children take many times longer, and have no memory of their own.
    const int cycles =
        std::getenv("BROOD_TEST_BACK_ENDS") != nullptr ? best_cycles / 10 : best_cycles;
    within(120s,
           [&]() -> task<>
           {
               co_await start_and_end(cycles / 10);
               auto before = resident_memory();
               co_await start_and_end(cycles);
               auto after = resident_memory();

               CHECK(after <= before + growth);
           });
}
