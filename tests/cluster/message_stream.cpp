// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/message_stream.hpp>

#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <cereal/types/string.hpp>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::message_stream;
using brood::process;
using brood::task;

namespace
{

cluster_settings of(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    settings.restart.when = brood::restart::temporary;
    return settings;
}

/// Counts from 0 for whoever listens.
task<> count_up(process& self, int end)
{
    for (int number = 0; number < end; ++number)
        if (!self.send(number))
            co_await self.drain();
}

/// Sends back what it is sent.
task<> answer(process& self)
{
    for (;;)
    {
        auto number = co_await self.message<int>();
        if (!number)
            break;
        self.send(*number);
    }
}

using heard = std::vector<std::pair<std::uint64_t, int>>;

task<> listen(message_stream<int> messages, heard& result)
{
    for (;;)
    {
        auto next = co_await messages.next();
        if (!next)
            break;
        result.emplace_back(next->from.id(), next->message);
    }
}

void in_background(task<> work, int& running)
{
    ++running;
    asio::co_spawn(brood::default_executor(), std::move(work),
                   [&running](std::exception_ptr) { --running; });
}

task<> until_zero(const int& running)
{
    while (running != 0)
        co_await brood::sleep(1ms);
}

} // namespace

TEST_WITHIN(30s, "every listener gets every message of every worker, in one order",
            "[message_stream]")
{
    constexpr int messages = 5'000;
    cluster<count_up> workers(of(3), messages);
    std::vector<heard> all(3);
    int running = 0;
    for (auto& each : all)
        in_background(listen(workers.messages<int>(), each), running);
    co_await until_zero(running);

    REQUIRE(all[0].size() == 3 * messages);
    CHECK(all[1] == all[0]);
    CHECK(all[2] == all[0]);
    std::map<std::uint64_t, int> next;
    bool in_order = true;
    for (auto& [worker, number] : all[0])
        in_order = in_order && number == next[worker]++;
    CHECK(in_order);
}

TEST_WITHIN(30s, "a listener that does not look loses nothing, and one that goes holds nobody up",
            "[message_stream]")
{
    constexpr int messages = 5'000;
    cluster<count_up> workers(of(1), messages);
    auto late = workers.messages<int>();
    auto goes = std::make_optional(workers.messages<int>());
    heard first, last;
    int running = 0;
    in_background(listen(workers.messages<int>(), first), running);
    while (first.size() < 1'000)
        co_await brood::sleep(1ms);
    CHECK(running == 1); // it waits for the slow ones
    CHECK(first.size() < messages);

    goes.reset();
    in_background(listen(std::move(late), last), running);
    co_await until_zero(running);
    CHECK(first.size() == messages);
    CHECK(last == first);
}

TEST_WITHIN(30s, "whoever waits for a slow listener goes on as that takes some, and when it goes",
            "[message_stream]")
{
    constexpr int messages = 3'000;
    cluster<count_up> workers(of(1), messages);
    auto slow = std::make_optional(workers.messages<int>());
    heard fast;
    int running = 0;
    in_background(listen(workers.messages<int>(), fast), running);
    std::size_t before = 0;
    while (before == 0 || fast.size() != before) // until it stands
    {
        before = fast.size();
        co_await brood::sleep(50ms);
    }
    CHECK(fast.size() < messages);

    for (int count = 0; count < 100; ++count)
        co_await slow->next();
    auto goes_on = co_await eventually(5s, [&] { return fast.size() >= before + 100; });
    CHECK(goes_on);
    CHECK(fast.size() < messages);
    slow.reset();
    co_await until_zero(running);
    CHECK(fast.size() == messages);
}

TEST_WITHIN(30s, "a listener that is cancelled leaves the next message to the others",
            "[message_stream]")
{
    cluster<[](process& self) -> task<>
            {
                co_await self.message<int>();
                self.send(7);
                co_await self.shutdown();
            }>
        workers(of(1));
    auto executor = brood::default_executor();
    auto cancelled = workers.messages<int>();
    auto other = workers.messages<int>();
    asio::cancellation_signal cancel;
    bool over = false;
    auto waiting = cancelled.next();
    asio::co_spawn(executor, std::move(waiting),
                   asio::bind_cancellation_slot(cancel.slot(),
                                                [&](std::exception_ptr thrown, auto&&)
                                                { over = thrown != nullptr; }));
    std::optional<int> got;
    auto hear = [](message_stream<int>& from, std::optional<int>& to) -> task<>
    {
        auto next = co_await from.next();
        to = next->message;
    };
    int running = 0;
    in_background(hear(other, got), running);
    co_await brood::sleep(1ms);
    cancel.emit(asio::cancellation_type::terminal);
    while (!over)
        co_await brood::sleep(1ms);

    workers.send(0);
    co_await until_zero(running);
    CHECK(got == 7);
    auto again = co_await cancelled.next();
    REQUIRE(again);
    CHECK(again->message == 7);
    co_await workers.stop();
    auto none = co_await other.next();
    CHECK_FALSE(none);
}

TEST_WITHIN(30s, "a message of another type is an error for every listener", "[message_stream]")
{
    cluster<[](process& self) -> task<>
            {
                self.send(std::string("not a number"));
                co_await self.shutdown();
            }>
        workers(of(1));
    auto one = workers.messages<int>();
    auto other = workers.messages<int>();
    int refused = 0;
    for (auto listener : {&one, &other})
    {
        try
        {
            co_await listener->next();
        }
        catch (const brood::error& wrong)
        {
            refused += wrong.code() == brood::errc::wrong_type ? 1 : 0;
        }
    }
    CHECK(refused == 2);
    auto text = co_await workers.message<std::string>();
    REQUIRE(text);
    CHECK(text->message == "not a number");
    co_await workers.stop();
}

TEST_WITHIN(30s, "a message that comes just as the wait for it loses under || is not lost",
            "[message_stream]")
{
    using namespace asio::experimental::awaitable_operators;
    for (bool all : {false, true}) // by message() and by messages()
    {
        cluster<answer> workers(of(1));
        co_await workers.ready();
        auto stream = workers.messages<int>();
        auto next = [&]
        {
            return all ? stream.next() : workers.message<int>();
        };
        std::minstd_rand random(7);
        std::uniform_int_distribution<int> microseconds(0, 400);
        for (int round = 0; round < 1'000; ++round)
        {
            workers.send(round);
            auto race = next() || brood::sleep(std::chrono::microseconds(microseconds(random)));
            auto winner = co_await std::move(race);
            if (winner.index() == 0)
            {
                auto& came = std::get<0>(winner);
                CHECK((came && came->message == round));
                continue;
            }
            auto kept = co_await next(); // or it is lost, and this waits for ever
            CHECK((kept && kept->message == round));
        }
        co_await workers.stop();
    }
}
