// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/limits.hpp>

#include <brood/base/loop.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/frames.hpp"
#include "support/within.hpp"

#include <fcntl.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::channel;
using brood::channel_limits;
using brood::task;

TEST_WITHIN(10s, "the longest message passes, one byte more is refused and nothing is sent",
            "[limits]")
{
    channel_limits limits;
    limits.max_message = 1000;
    auto [one, other] = channel::pair(limits);
    std::string longest(1000 - 9, 'x');
    while (brood::test::payload_bytes(longest).size() < 1000)
        longest += 'x';
    one.send(longest);
    CHECK_THROWS_AS(one.send(longest + 'x'), brood::error);
    one.send(1);
    auto text = co_await other.message<std::string>();
    auto number = co_await other.message<int>();

    CHECK(text == longest);
    CHECK(number == 1);
}

TEST_WITHIN(10s, "each side has limits of its own, and believes only those", "[limits]")
{
    auto executor = brood::default_executor();
    channel_limits narrow;
    narrow.max_message = 100;
    auto [left, right] = brood::detail::local_pair();
    channel generous(executor, std::move(left), "generous");
    channel careful(executor, std::move(right), "careful", narrow);
    generous.send(std::string(200, 'x'));
    std::error_code refused;
    try
    {
        co_await careful.message<std::string>();
    }
    catch (const brood::error& wrong)
    {
        refused = wrong.code();
    }

    CHECK(refused == brood::errc::too_large);
}

TEST_WITHIN(10s, "so many descriptors ride on a message, one more is refused and nothing is sent",
            "[limits]")
{
    channel_limits limits;
    limits.max_descriptors = 2;
    auto [one, other] = channel::pair(limits);
    auto so_many = [](std::size_t count)
    {
        std::vector<brood::descriptor> result;
        for (; count != 0; --count)
            result.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
        return result;
    };
    auto three = so_many(3);
    CHECK_THROWS_AS(one.send(3, std::move(three)), brood::error);
    CHECK(three.size() == 3);
    one.send(2, so_many(2));
    using taken = brood::carrying<int, std::vector<brood::descriptor>>;
    auto came = co_await other.message<taken>();

    REQUIRE(came);
    CHECK(came->message == 2);
    CHECK(came->object().size() == 2);
}

TEST_WITHIN(20s, "a send says when to wait, and throws when that is ignored", "[limits]")
{
    channel_limits limits;
    limits.outgoing_high_water = 100'000;
    limits.max_outgoing = 1'000'000;
    limits.incoming_high_water = 10'000;
    auto [one, other] = channel::pair(limits);
    std::string block(10'000, 'x');
    int sent = 1;
    while (one.send(block))
        ++sent;
    CHECK(sent > 5);
    std::error_code refused;
    try
    {
        for (;; ++sent)
            one.send(block);
    }
    catch (const brood::error& ignored)
    {
        refused = ignored.code();
    }
    CHECK(refused == brood::errc::overflow);
    CHECK(sent < 300); // the limits, and what the kernel holds

    for (int count = 0; count < sent; ++count)
    {
        auto received = co_await other.message<std::string>();
        CHECK(received == block);
    }
    co_await one.drain();
    CHECK(one.send(1));
}
