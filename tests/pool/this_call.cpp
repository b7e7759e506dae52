// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/this_call.hpp>

#include <brood/base/all.hpp>
#include <brood/pool/pool.hpp>

#include "support/catch.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::test::workers;

namespace
{

std::string tells()
{
    auto call = brood::this_call();
    return "attempt " + std::to_string(call.attempt()) + " in worker " +
           std::to_string(call.worker()) + ", slot " + std::to_string(call.slot()) +
           (call.deadline() ? ", with a deadline" : "") + (call.cancelled() ? ", cancelled" : "");
}

/// Asks for its call behind each wait, while others run beside it.
task<std::int64_t> own_deadline(int number)
{
    auto first = *brood::this_call().deadline();
    for (int each = 0; each < 10; ++each)
    {
        co_await brood::sleep(std::chrono::milliseconds(1 + number % 3));
        if (*brood::this_call().deadline() != first)
            throw std::runtime_error("that is the call of another");
    }
    co_return first.time_since_epoch() / 1ns;
}

} // namespace

TEST_CASE("outside of a call there is none to ask about", "[pool]")
{
    CHECK_THROWS_AS(brood::this_call(), std::logic_error);
}

TEST_WITHIN(20s, "a function asks about its call, without other parameters", "[pool]")
{
    pool<tells> calls(workers(1));

    auto plain = co_await calls();
    CHECK(plain == "attempt 1 in worker 1, slot 0");
    auto limited = co_await calls.with({.deadline = 10s})();
    CHECK(limited == "attempt 1 in worker 1, slot 0, with a deadline");
}

TEST_WITHIN(20s, "a coroutine finds its own call wherever it goes on", "[pool]")
{
    auto settings = workers(1);
    settings.in_flight = 16;
    pool<own_deadline> calls(settings);

    std::vector<task<std::int64_t>> all;
    for (int number = 0; number < 16; ++number)
        all.push_back(calls.with({.deadline = 20s})(number));
    auto deadlines = co_await brood::all(std::move(all));

    CHECK(deadlines.size() == 16);
    CHECK(deadlines.front() != deadlines.back());
}
