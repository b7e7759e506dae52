// SPDX-License-Identifier: BSL-1.0
#include <brood/base/detail/ring.hpp>

#include "support/catch.hpp"

#include <deque>
#include <memory>
#include <random>

using brood::detail::ring;

TEST_CASE("a ring gives back in the order it was given", "[ring]")
{
    ring<std::unique_ptr<int>> queue;

    for (int number = 0; number < 100; ++number)
        queue.push_back(std::make_unique<int>(number));

    CHECK(queue.size() == 100);
    CHECK(*queue[99] == 99);
    for (int number = 0; number < 100; ++number)
        CHECK(*queue.pop_front() == number);
    CHECK(queue.empty());
}

TEST_CASE("what was taken out or cleared is destroyed at once", "[ring]")
{
    auto shared = std::make_shared<int>(7);
    ring<std::shared_ptr<int>> queue;
    queue.push_back(std::shared_ptr(shared));
    queue.push_back(std::shared_ptr(shared));

    queue.pop_front();
    CHECK(shared.use_count() == 2);
    queue.clear();

    CHECK(shared.use_count() == 1);
    CHECK(queue.empty());
}

TEST_CASE("a ring holds what a deque holds after any sequence of operations", "[ring]")
{
    std::mt19937 random(Catch::rngSeed());
    ring<int> queue;
    std::deque<int> model;

    for (int turn = 0; turn < 20000; ++turn)
    {
        if (model.empty() || random() % 100 < (turn / 2000 % 2 == 0 ? 60U : 40U))
        {
            queue.push_back(int(turn));
            model.push_back(turn);
        }
        else
        {
            REQUIRE(queue.pop_front() == model.front());
            model.pop_front();
        }
        REQUIRE(queue.size() == model.size());
        if (!model.empty())
        {
            REQUIRE(queue.front() == model.front());
            REQUIRE(queue[model.size() - 1] == model.back());
        }
    }
}
