// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/dispatch_policy.hpp>

#include "support/catch.hpp"

#include <map>
#include <string>
#include <vector>

using brood::dispatch_candidate;
using brood::dispatch_policy;

namespace
{

std::vector<dispatch_candidate> idle(std::size_t count)
{
    std::vector<dispatch_candidate> result;
    for (std::size_t slot = 0; slot < count; ++slot)
        result.push_back({slot, 0});
    return result;
}

std::string client(int number)
{
    return {10, 0, static_cast<char>(number >> 8), static_cast<char>(number)};
}

} // namespace

TEST_CASE("round robin takes one after the other, fair within one of ten thousand",
          "[dispatch_policy]")
{
    auto policy = dispatch_policy::round_robin();
    auto workers = idle(7);
    std::vector<int> given(7);
    std::size_t turn = 0;
    for (int connection = 0; connection < 10'000; ++connection)
        ++given[policy.choose(workers, {}, turn)];

    auto [least, most] = std::minmax_element(given.begin(), given.end());
    CHECK(*most - *least <= 1);
}

TEST_CASE("round robin goes on behind the last slot although that has gone", "[dispatch_policy]")
{
    auto policy = dispatch_policy::round_robin();
    std::vector<dispatch_candidate> workers{{0, 0}, {1, 0}, {3, 0}};
    std::size_t turn = 3; // slot 2 had the last one

    CHECK(workers[policy.choose(workers, {}, turn)].slot == 3);
    CHECK(workers[policy.choose(workers, {}, turn)].slot == 0);
}

TEST_CASE("least loaded takes the one with the fewest waiting, and turns among equals",
          "[dispatch_policy]")
{
    auto policy = dispatch_policy::least_loaded();
    std::vector<dispatch_candidate> workers{{0, 2}, {1, 0}, {2, 0}};
    std::size_t turn = 0;

    CHECK(policy.choose(workers, {}, turn) == 1);
    CHECK(policy.choose(workers, {}, turn) == 2);
    CHECK(policy.choose(workers, {}, turn) == 1);
}

TEST_CASE("least loaded counts what is open as well, whatever a worker claims", "[dispatch_policy]")
{
    auto policy = dispatch_policy::least_loaded();
    std::vector<dispatch_candidate> workers{{0, 1, 7}, {1, 5, 0}, {2, 9, UINT64_MAX}};
    std::size_t turn = 0;

    CHECK(policy.choose(workers, {}, turn) == 1);
    workers[1].open = 4;
    CHECK(policy.choose(workers, {}, turn) == 0);
    CHECK(dispatch_policy::round_robin().choose(workers, {}, turn) == 1);
}

TEST_CASE("sticky gives a client always to the same slot, and spreads clients", "[dispatch_policy]")
{
    auto policy = dispatch_policy::sticky();
    auto workers = idle(4);
    std::vector<int> given(4);
    std::size_t turn = 0;
    for (int number = 0; number < 4000; ++number)
    {
        auto first = policy.choose(workers, client(number), turn);
        ++given[first];

        CHECK(policy.choose(workers, client(number), turn) == first);
    }

    for (auto count : given)
        CHECK(count > 800);
}

TEST_CASE("when a slot goes, sticky moves only its own clients", "[dispatch_policy]")
{
    auto policy = dispatch_policy::sticky();
    auto workers = idle(4);
    auto fewer = workers;
    fewer.erase(fewer.begin() + 1);
    std::size_t turn = 0;
    for (int number = 0; number < 1000; ++number)
    {
        auto before = workers[policy.choose(workers, client(number), turn)].slot;
        auto after = fewer[policy.choose(fewer, client(number), turn)].slot;

        if (before != 1)
            CHECK(after == before);
    }
}

TEST_CASE("a function of the user chooses, and a place that is none is refused",
          "[dispatch_policy]")
{
    auto last = dispatch_policy::chosen([](auto from, auto) { return from.size() - 1; });
    auto none = dispatch_policy::chosen([](auto from, auto) { return from.size(); });
    auto workers = idle(3);
    std::size_t turn = 0;

    CHECK(last.choose(workers, {}, turn) == 2);
    CHECK_THROWS_AS(none.choose(workers, {}, turn), std::out_of_range);
}

TEST_CASE("a policy that cannot be meant is refused", "[dispatch_policy]")
{
    CHECK_NOTHROW(dispatch_policy().check());
    CHECK_THROWS_AS(dispatch_policy::round_robin(0).check(), std::invalid_argument);
    CHECK_THROWS_AS(dispatch_policy::chosen(nullptr).check(), std::invalid_argument);
}
