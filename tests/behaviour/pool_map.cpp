// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/pool.hpp>

#include <brood/base/task_group.hpp>

#include "support/catch.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace brood;
using brood::test::workers;

namespace
{

std::uint64_t next(std::uint64_t number)
{
    return number + 1;
}

std::uint64_t next_of_even(std::uint64_t number)
{
    if (number % 2 != 0)
        throw std::invalid_argument(std::to_string(number) + " is odd");
    return number + 1;
}

/// Ends its worker with every hundredth number.
std::uint64_t next_or_die(std::uint64_t number)
{
    if (number % 100 == 42)
        std::raise(SIGKILL);
    return number + 1;
}

task<std::string> repeat(int times, std::string text)
{
    co_await sleep(1ms);
    std::string all;
    while (times-- > 0)
        all += text;
    co_return all;
}

/// Takes so long, and tells whether it came to its end.
int takes(int milliseconds)
{
    auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (std::chrono::steady_clock::now() < end)
    {
        std::this_thread::sleep_for(2ms);
        if (this_call().cancelled())
            throw std::runtime_error("stopped");
    }
    return 1;
}

/// Never asks whether it should go on.
int takes_in_any_case(int milliseconds)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return 1;
}

std::string filled(int size)
{
    return std::string(static_cast<std::size_t>(size), 'x');
}

struct counter
{
    explicit counter(int from) : next(from) {}

    int count(int) { return next++; }

    int next;
};

} // namespace

TEST_WITHIN(60s, "a pool maps a range in order", "[pool_map]")
{
    pool<next> numbers(workers(2));
    auto results = numbers.map(std::views::iota(std::uint64_t{0}, std::uint64_t{100'000}));
    std::uint64_t told = 0, wrong = 0;

    while (auto one = co_await results.next())
        wrong += *one == ++told ? 0U : 1U;

    CHECK(told == 100'000);
    CHECK(wrong == 0);
    auto now = numbers.progress();
    CHECK(now.done == 100'000);
    CHECK(now.total == 100'000);
    CHECK(now.running + now.waiting + now.failed == 0);
    co_await numbers.stop();
}

TEST_WITHIN(60s, "as_completed gives each item once, with its index", "[pool_map]")
{
    pool<next> numbers(workers(3));
    auto results = numbers.as_completed(std::vector<std::uint64_t>(1000, 7), {.chunk = 10});
    std::vector<int> times(1000);
    bool right = true;

    while (auto one = co_await results.next())
    {
        ++times[one->index];
        right = right && one->value == 8;
    }

    CHECK(right);
    CHECK(times == std::vector<int>(1000, 1));
    co_await numbers.stop();
}

TEST_WITHIN(60s, "items of a pool are mapped to coroutines, with several arguments", "[pool_map]")
{
    pool<repeat> words(workers(2));
    std::vector<std::tuple<int, std::string>> items{{2, "a"}, {3, "b"}, {0, "c"}};
    auto results = words.map(items);
    std::vector<std::string> all;

    while (auto one = co_await results.next())
        all.push_back(*one);

    CHECK(all == std::vector<std::string>{"aa", "bbb", ""});
    co_await words.stop();
}

TEST_WITHIN(60s, "items of a pool are mapped to a member function", "[pool_map]")
{
    pool<&counter::count> counters(workers(1), 10);
    auto results = counters.map(std::views::iota(0, 3));
    std::vector<int> all;

    while (auto one = co_await results.next())
        all.push_back(*one);

    CHECK(all == std::vector<int>{10, 11, 12});
    co_await counters.stop();
}

TEST_WITHIN(60s, "what the function throws fails its item, and names worker and item", "[pool_map]")
{
    pool<next_of_even> numbers(workers(2));
    auto results = numbers.map(std::views::iota(std::uint64_t{0}, std::uint64_t{10}));
    std::uint64_t done = 0;
    std::string last;

    while (auto one = co_await results.next_outcome())
    {
        if (one->ok())
            ++done;
        else
            last = one->text();
    }

    CHECK(done == 5);
    CHECK(last.find("item 9 threw std::invalid_argument: 9 is odd") != std::string::npos);
    CHECK(numbers.progress().failed == 5);
    co_await numbers.stop();
}

TEST_WITHIN(120s, "items that end their worker are found, and only they fail", "[pool_map]")
{
    pool<next_or_die> numbers(workers(2));
    call_options options;
    options.attempts = at_least_once(2);
    auto results =
        numbers.with(options).map(std::views::iota(std::uint64_t{0}, std::uint64_t{1000}));
    std::uint64_t done = 0, wrong = 0;
    std::vector<std::uint64_t> lost;
    std::vector<std::string> texts;

    while (auto one = co_await results.next_outcome())
    {
        if (one->ok())
        {
            ++done;
            wrong += one->value() == one->index() + 1 ? 0U : 1U;
        }
        else
        {
            lost.push_back(one->index());
            texts.push_back(one->text());
        }
    }

    CHECK(done == 990);
    CHECK(wrong == 0);
    CHECK(lost == std::vector<std::uint64_t>{42, 142, 242, 342, 442, 542, 642, 742, 842, 942});
    CHECK(std::count_if(texts.begin(), texts.end(),
                        [](auto& each)
                        { return each.find("SIGKILL") != std::string::npos; }) == 10);
    co_await numbers.stop();
}

TEST_WITHIN(60s, "at most once, the items of a lost chunk fail together", "[pool_map]")
{
    pool<next_or_die> numbers(workers(1));
    auto results =
        numbers.map(std::views::iota(std::uint64_t{0}, std::uint64_t{200}), {.chunk = 50});
    std::vector<std::uint64_t> lost;

    while (auto one = co_await results.next_outcome())
        if (!one->ok())
            lost.push_back(one->index());

    CHECK(lost.size() == 100);
    CHECK(lost.front() == 0);
    CHECK(lost[50] == 100);
    co_await numbers.stop();
}

TEST_WITHIN(120s, "a map of millions reads no further ahead than its window", "[pool_map]")
{
    pool<next> numbers(workers(2));
    std::uint64_t read = 0, taken = 0, most = 0;
    auto counted = std::views::iota(std::uint64_t{0}, std::uint64_t{500'000}) |
                   std::views::transform([&](std::uint64_t number) { return ++read, number; });
    auto results = numbers.map(counted);

    while (auto one = co_await results.next())
    {
        ++taken;
        most = std::max(most, read - taken);
    }

    CHECK(taken == 500'000);
    // Two chunks for each that is computed, by two workers that have one more at hand.
    CHECK(most <= 2 * 4 * (std::size_t{64} << 10) / 12);
    co_await numbers.stop();
}

TEST_WITHIN(60s, "a map that is dropped leaves the pool as it was", "[pool_map]")
{
    pool<next> numbers(workers(2));
    {
        auto results = numbers.map(std::views::iota(std::uint64_t{0}));
        auto one = co_await results.next();
        CHECK(one == 1);
    }

    auto answer = co_await numbers(41);

    CHECK(answer == 42);
    CHECK(numbers.progress().total == numbers.progress().ended());
    co_await numbers.stop();
}

TEST_WITHIN(60s, "a deadline is for each item: only the one that takes too long fails",
            "[pool_map]")
{
    pool<takes> calls(workers(2, 20s));
    auto ready = co_await calls.ready();
    CHECK(ready);
    // All of them together, and any two of them, take longer than one may.
    std::vector<int> items(8, 700);
    items[5] = 60'000;
    auto results = calls.with({.deadline = 1'300ms}).map(items, {.chunk = 4});
    std::vector<std::uint64_t> late;

    while (auto one = co_await results.next_outcome())
    {
        if (!one->ok())
            late.push_back(one->index());
        else
            CHECK(one->value() == 1);
    }

    CHECK(late == std::vector<std::uint64_t>{5});
    CHECK(calls.stats().timed_out == 1);
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(60s, "a chunk that nobody wants any more ends behind the item that is computed",
            "[pool_map]")
{
    pool<takes_in_any_case> calls(workers(1, 20s));
    auto ready = co_await calls.ready();
    CHECK(ready);
    auto begun = std::chrono::steady_clock::now();
    {
        std::vector<int> items(1'000, 50);
        auto results = calls.map(items, {.chunk = 500, .chunk_time = 1h});
        while (calls.progress().running == 0)
            co_await sleep(1ms);
        co_await sleep(100ms);
    }

    while (calls.stats().running != 0)
        co_await sleep(1ms);

    CHECK(std::chrono::steady_clock::now() - begun < 5s);
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(60s, "the end of a pool fails the items that it did not answer", "[pool_map]")
{
    pool<repeat> words(workers(1));
    std::vector<std::tuple<int, std::string>> items(100, {1, "a"});
    auto results = words.map(items);
    auto first = co_await results.next();
    co_await words.stop();
    bool closed = false;

    while (auto one = co_await results.next_outcome())
        closed = !one->ok();

    CHECK(first == "a");
    CHECK(closed);
}

TEST_WITHIN(60s, "progress of a pool counts calls beside the items of maps", "[pool_map]")
{
    pool<next> numbers(workers(1));
    auto answer = co_await numbers(1);
    auto results = numbers.map(std::views::iota(std::uint64_t{0}, std::uint64_t{9}));
    while (auto one = co_await results.next())
        ;

    CHECK(answer == 2);
    CHECK(numbers.progress().done == 10);
    CHECK(numbers.progress().total == 10);
    CHECK(results.progress().done == 9);
    co_await numbers.stop();
}

// A reply of that size leaves at once, before the worker has said that the call is done.
TEST_WITHIN(120s, "calls with large results side by side all come back", "[pool_map]")
{
    pool<filled> calls(workers(2));
    int right = 0;
    task_group callers;
    for (int each = 0; each < 16; ++each)
    {
        callers.start(
            [&]() -> task<>
            {
                for (int times = 0; times < 250; ++times)
                {
                    auto result = co_await calls(70'000);
                    right += result.size() == 70'000 ? 1 : 0;
                }
            });
    }
    co_await callers.join();

    CHECK(right == 16 * 250);
    co_await calls.stop();
}
