// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/entry.hpp>

#include <brood/process/fork.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

task<> add(brood::process& self, int left, long right)
{
    self.send(left + static_cast<int>(right));
    co_return;
}

task<int> give(brood::process&, int code)
{
    co_return code;
}

} // namespace

TEST_WITHIN(10s, "an entry gets its arguments in their order and types", "[entry]")
{
    auto child = brood::fork<add>(40, 2);

    auto sum = co_await child.message<int>();

    CHECK(sum == 42);
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(10s, "an entry that returns a number ends its process with that code", "[entry]")
{
    auto child = brood::fork<give>(23);

    auto status = co_await child.exit();

    CHECK(status.code == 23);
    CHECK(status.signal == 0);
}

TEST_WITHIN(10s, "a captureless lambda can be an entry, and takes strings and vectors", "[entry]")
{
    constexpr auto join = [](brood::process& self, std::string first,
                             std::vector<std::string> rest) -> task<>
    {
        for (auto& each : rest)
            first += each;
        self.send(first);
        co_return;
    };
    std::vector<std::string> rest{"b", "c"};
    auto child = brood::fork<join>("a", rest);

    auto joined = co_await child.message<std::string>();

    CHECK(joined == "abc");
    co_await child.exit();
}

TEST_CASE("an entry with an unknown name is an error that says so", "[entry]")
{
    CHECK_THROWS_WITH(brood::detail::find_entry("nobody"), ContainsSubstring("no entry nobody"));
}

TEST_CASE("two entries with one name are an error that says so", "[entry]")
{
    brood::detail::entry one{"twin", nullptr, brood::detail::all_entries};
    brood::detail::entry other{"twin", nullptr, &one};
    brood::detail::all_entries = &other;

    CHECK_THROWS_WITH(brood::detail::find_entry("twin"), ContainsSubstring("have the name twin"));

    brood::detail::all_entries = one.next;
}
