// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/call_options.hpp>

#include <brood/base/all.hpp>
#include <brood/pool/pool.hpp>

#include "support/catch.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::affinity_key;
using brood::at_least_once;
using brood::at_most_once;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::test::code_of;

namespace
{

pid_t sleeps(int milliseconds)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return ::getpid();
}

int never_returns()
{
    for (;;)
        std::this_thread::sleep_for(1h);
}

int stops_when_asked()
{
    auto call = brood::this_call();
    while (!call.cancelled())
        std::this_thread::sleep_for(1ms);
    return 1;
}

/// Waits, or keeps the thread for itself.
task<int> waits_or_blocks(bool blocks)
{
    if (blocks)
        never_returns();
    co_await brood::sleep(1h);
    co_return 1;
}

task<int> soon(int number)
{
    co_await brood::sleep(1ms);
    co_return number;
}

pid_t pid_of(int)
{
    return ::getpid();
}

/// Workers that have no second to stop in.
pool_settings of(std::size_t count)
{
    return brood::test::workers(count, 100ms);
}

} // namespace

TEST_CASE("attempts and keys are what they were made of", "[pool]")
{
    CHECK(at_most_once.most() == 1);
    CHECK_FALSE(at_most_once.repeats());
    CHECK(at_least_once(4).most() == 4);
    CHECK(at_least_once(0).most() == 1);
    CHECK(at_least_once(1).repeats());
    CHECK(affinity_key("a").hash() == affinity_key(std::string("a")).hash());
    CHECK(affinity_key(7).hash() == 7U);
    CHECK_FALSE(affinity_key().hash());
}

TEST_WITHIN(30s, "a call that is late throws, and its worker is killed and replaced", "[pool]")
{
    pool<never_returns> calls(of(1));
    auto ready = co_await calls.ready();
    CHECK(ready);
    auto begun = std::chrono::steady_clock::now();

    auto code = co_await code_of(calls.with({.deadline = 100ms})());
    CHECK(code == brood::errc::timed_out);
    CHECK(std::chrono::steady_clock::now() - begun < brood::test::patient(2s));

    // The next one is late as well: it had a worker, though.
    auto again = co_await code_of(calls.with({.deadline = 2s})());
    CHECK(again == brood::errc::timed_out);
    CHECK(calls.stats().timed_out == 2);
    CHECK(calls.stats().workers.exits >= 1);
}

TEST_WITHIN(30s, "a call that stops when it is asked to keeps its worker", "[pool]")
{
    auto settings = of(1);
    settings.grace = 20s;
    pool<stops_when_asked> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto code = co_await code_of(calls.with({.deadline = 50ms})());
    CHECK(code == brood::errc::timed_out);
    while (calls.stats().running != 0)
        co_await brood::sleep(1ms);
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(30s, "a call that waits when it is late was never begun", "[pool]")
{
    auto settings = of(1);
    pool<sleeps> calls(settings);

    auto slow = calls(300);
    auto at_hand = calls.with({.deadline = 50ms})(0);
    auto waiting = calls.with({.deadline = 50ms})(0);
    auto first = co_await code_of(std::move(at_hand));
    CHECK(first == brood::errc::timed_out);
    auto second = co_await code_of(std::move(waiting));
    CHECK(second == brood::errc::timed_out);
    co_await std::move(slow);
    CHECK(calls.stats().done == 1);
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(30s, "a call that waits for room is late as well", "[pool]")
{
    auto settings = of(1);
    settings.waiting = 1;
    settings.fetched_ahead = 1;
    pool<sleeps> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    std::vector<task<pid_t>> full;
    for (int each = 0; each < 3; ++each)
        full.push_back(calls(each == 0 ? 2'000 : 0));
    auto begun = std::chrono::steady_clock::now();
    auto code = co_await code_of(calls.with({.deadline = 50ms})(0));
    CHECK(code == brood::errc::timed_out);
    CHECK(std::chrono::steady_clock::now() - begun < 1'900ms);
    co_await brood::all(std::move(full));
}

TEST_WITHIN(30s, "the highest priority goes first", "[pool]")
{
    auto settings = of(1);
    settings.fetched_ahead = 1;
    pool<sleeps> calls(settings);
    std::vector<int> order;
    auto executor = calls.executor();
    auto note = [&](int which, task<pid_t> call) -> task<>
    {
        co_await std::move(call);
        order.push_back(which);
    };

    std::vector<task<>> all;
    all.push_back(note(0, calls(50)));
    all.push_back(note(1, calls(0))); // at hand
    all.push_back(note(2, calls(0)));
    all.push_back(note(3, calls.with({.priority = 1})(0)));
    all.push_back(note(4, calls.with({.priority = 2})(0)));
    co_await brood::all(std::move(all));

    CHECK(order.back() == 2);
}

TEST_WITHIN(30s, "calls with one key go to one worker while it is idle", "[pool]")
{
    for (int key = 0; key < 12; ++key)
    {
        pool<pid_of> calls(of(4));
        auto ready = co_await calls.ready();
        CHECK(ready);

        // Also the first, in the same breath: a pool that is ready knows all of its workers.
        auto first = co_await calls.with({.affinity = key})(0);
        for (int each = 0; each < 5; ++each)
        {
            auto next = co_await calls.with({.affinity = key})(each);
            CHECK(next == first);
        }
    }
}

TEST_WITHIN(30s, "try_call says no when the queue is full, and an awaited call waits for room",
            "[pool]")
{
    auto settings = of(1);
    settings.waiting = 2;
    settings.fetched_ahead = 1;
    pool<sleeps> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    std::vector<task<pid_t>> all;
    for (int each = 0; each < 4; ++each)
        all.push_back(calls(20));
    auto no = calls.try_call(20);
    CHECK_FALSE(no.has_value());
    for (int each = 0; each < 4; ++each)
        all.push_back(calls(1));
    co_await brood::all(std::move(all));
    auto yes = calls.try_call(0);
    REQUIRE(yes.has_value());
    co_await std::move(*yes);
}

TEST_WITHIN(30s, "who waits for room enters before those that call again", "[pool]")
{
    auto settings = of(1);
    settings.waiting = 1;
    settings.fetched_ahead = 1;
    pool<sleeps> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);
    int ended = 0, before_it = 0;
    auto call_again_and_again = [&]() -> task<>
    {
        for (; ended < 20; ++ended)
            co_await calls(1);
    };
    auto wait_for_room = [&]() -> task<>
    {
        co_await calls(1);
        before_it = ended;
    };

    std::vector<task<>> all;
    for (int each = 0; each < 3; ++each)
        all.push_back(call_again_and_again()); // there is no room for more than these
    all.push_back(wait_for_room());
    co_await brood::all(std::move(all));

    CHECK(before_it < 10);
}

TEST_WITHIN(30s, "a task that is dropped cancels its call", "[pool]")
{
    pool<never_returns> calls(of(1));
    auto ready = co_await calls.ready();
    CHECK(ready);

    {
        auto dropped = calls();
    }
    while (calls.stats().running != 0)
        co_await brood::sleep(1ms);
    CHECK(calls.stats().cancelled == 1);
}

TEST_WITHIN(30s, "a coroutine that is late is cancelled, and its worker goes on", "[pool]")
{
    auto settings = of(1);
    settings.grace = 20s;
    pool<waits_or_blocks> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto code = co_await code_of(calls.with({.deadline = 50ms})(false));
    CHECK(code == brood::errc::timed_out);
    while (calls.stats().running != 0)
        co_await brood::sleep(1ms);
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(30s, "calls beside one that had to be killed follow their own policy", "[pool]")
{
    auto settings = of(1);
    settings.in_flight = 4;
    pool<waits_or_blocks> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    std::vector<task<std::error_code>> all;
    all.push_back(code_of(calls(false)));
    all.push_back(code_of(calls.with({.deadline = 3s, .attempts = at_least_once(1)})(false)));
    all.push_back(code_of(calls.with({.deadline = 100ms})(true)));
    auto codes = co_await brood::all(std::move(all));

    CHECK(codes[0] == brood::errc::closed);    // at most once: lost with its worker
    CHECK(codes[1] == brood::errc::timed_out); // begun again, and late then
    CHECK(codes[2] == brood::errc::timed_out);
    CHECK(calls.stats().retried == 1);
}

TEST_WITHIN(30s, "a call that loses under || is given up", "[pool]")
{
    using namespace asio::experimental::awaitable_operators;
    pool<waits_or_blocks> calls(of(1));
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto first = co_await (calls(false) || soon(7));

    CHECK(first.index() == 1);
    while (calls.stats().running != 0)
        co_await brood::sleep(1ms);
    CHECK(calls.stats().cancelled == 1);
    CHECK(calls.stats().workers.exits == 0);
}
