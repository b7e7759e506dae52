// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/call.hpp>

#include <brood/wire/channel.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::channel;
using brood::channel_limits;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

int square(int number)
{
    return number * number;
}

task<std::string> slowly(std::string text)
{
    co_await brood::sleep(std::chrono::milliseconds(text.size()));
    co_return text + '!';
}

double never(double)
{
    throw std::domain_error("never");
}

/// Two ends, of which the other serves calls.
struct served
{
    std::pair<channel, channel> both;
    channel& one = both.first;
    channel& other = both.second;
    bool has_ended = false;

    explicit served(const channel_limits& limits = {}) : both(channel::pair(limits)) {}

    template <class... Handlers>
    void serve(Handlers... handlers)
    {
        auto serving = other.serve(handlers...);
        asio::co_spawn(brood::default_executor(), std::move(serving),
                       [this](std::exception_ptr) { has_ended = true; });
    }
};

template <class Reply, class Request>
task<std::string> refusal(channel& by, Request request)
{
    try
    {
        co_await by.call<Reply>(request);
    }
    catch (const brood::error& wrong)
    {
        co_return wrong.what();
    }
    co_return "a reply";
}

} // namespace

TEST_CASE("a call gives the reply of the handler that takes its type", "[call]")
{
    within(10s,
           []() -> task<>
           {
               served by;
               by.serve(square, slowly);
               int number = 12;
               std::string text = "hello";
               auto squared = co_await by.one.call<int>(number);
               auto shouted = co_await by.one.call<std::string>(text);

               CHECK(squared == 144);
               CHECK(shouted == "hello!");
           });
}

TEST_CASE("many calls are under way at once, and replies come in any order", "[call]")
{
    within(20s,
           []() -> task<>
           {
               served by;
               by.serve(slowly);
               auto executor = co_await asio::this_coro::executor;
               std::vector<std::size_t> order;
               for (std::size_t size : {60U, 40U, 20U, 1U})
               {
                   std::string text(size, 'x');
                   auto call = by.one.call<std::string>(text);
                   asio::co_spawn(executor, std::move(call),
                                  [&](std::exception_ptr, const std::string& reply)
                                  { order.push_back(reply.size() - 1); });
               }
               auto all = co_await eventually(10s, [&] { return order.size() == 4; });

               CHECK(all);
               CHECK(order == std::vector<std::size_t>{1, 20, 40, 60});
           });
}

TEST_CASE("both sides call at once, and a handler may call back", "[call]")
{
    within(10s,
           []() -> task<>
           {
               auto [one, other] = channel::pair();
               auto executor = co_await asio::this_coro::executor;
               auto back = [](channel& to, int number) -> task<int>
               {
                   double half = number / 2.0;
                   auto doubled = co_await to.call<double>(half);
                   co_return static_cast<int>(doubled);
               };
               auto calls_back = [&, &there = other](int number)
               {
                   return back(there, number);
               };
               auto twice = [](double number)
               {
                   return 4 * number;
               };
               auto first = other.serve(calls_back);
               auto second = one.serve(twice);
               asio::co_spawn(executor, std::move(first), asio::detached);
               asio::co_spawn(executor, std::move(second), asio::detached);
               int number = 21;
               auto answer = co_await one.call<int>(number);

               CHECK(answer == 42);
           });
}

TEST_CASE("what a handler throws arrives with its type and text", "[call]")
{
    within(10s,
           []() -> task<>
           {
               served by;
               by.serve(never, square);
               double request = 1;
               std::string type, message;
               try
               {
                   co_await by.one.call<double>(request);
               }
               catch (const brood::remote_error& thrown)
               {
                   type = thrown.type();
                   message = thrown.message();
                   CHECK(thrown.code() == brood::errc::failed);
               }
               CHECK(type == "std::domain_error");
               CHECK(message == "never");
               int number = 3;
               auto still = co_await by.one.call<int>(number);
               CHECK(still == 9);
           });
}

TEST_CASE("a request without a handler, and a reply of another type, are told", "[call]")
{
    within(10s,
           []() -> task<>
           {
               served by;
               by.serve(square);
               auto unknown = co_await refusal<int>(by.one, std::string("text"));
               auto other_type = co_await refusal<std::string>(by.one, 3);

               CHECK_THAT(unknown, ContainsSubstring("no handler for std::string"));
               CHECK_THAT(other_type, ContainsSubstring("std::string was expected"));
           });
}

TEST_CASE("a call that takes too long is given up, and its handler is cancelled", "[call]")
{
    within(10s,
           []() -> task<>
           {
               served by;
               bool cancelled = false;
               auto for_ever = [](bool& told) -> task<int>
               {
                   try
                   {
                       co_await brood::sleep(1h);
                   }
                   catch (const std::system_error&)
                   {
                       told = true;
                   }
                   co_return 0;
               };
               by.serve([&](int) { return for_ever(cancelled); });
               int number = 1;
               std::error_code late;
               try
               {
                   co_await by.one.call<int>(number, 5ms);
               }
               catch (const brood::error& error)
               {
                   late = error.code();
               }
               CHECK(late == brood::errc::timed_out);
               auto told = co_await eventually(5s, [&] { return cancelled; });
               CHECK(told);
           });
}

TEST_CASE("every call ends at once when the other side goes", "[call]")
{
    within(10s,
           []() -> task<>
           {
               served by;
               by.serve(slowly);
               auto executor = co_await asio::this_coro::executor;
               int closed = 0;
               for (int count = 0; count < 10; ++count)
               {
                   std::string text(5000, 'x');
                   auto call = by.one.call<std::string>(text);
                   asio::co_spawn(executor, std::move(call),
                                  [&](std::exception_ptr thrown, const std::string&)
                                  { closed += thrown != nullptr; });
               }
               co_await brood::sleep(5ms);
               CHECK(closed == 0);
               by.other = channel();
               auto all = co_await eventually(2s, [&] { return closed == 10; });
               CHECK(all);
               auto later = co_await refusal<int>(by.one, 1);
               CHECK_THAT(later, ContainsSubstring("gone"));
           });
}

TEST_CASE("no more handlers run at once than are allowed, and the others wait", "[call]")
{
    within(20s,
           []() -> task<>
           {
               channel_limits limits;
               limits.max_calls = 3;
               served by(limits);
               int running = 0, most = 0;
               auto count = [](int& now, int& peak) -> task<int>
               {
                   peak = std::max(peak, ++now);
                   co_await brood::sleep(2ms);
                   --now;
                   co_return 0;
               };
               by.serve([&](int) { return count(running, most); });
               auto executor = co_await asio::this_coro::executor;
               int done = 0;
               for (int number = 0; number < 20; ++number)
               {
                   auto call = by.one.call<int>(number);
                   asio::co_spawn(executor, std::move(call),
                                  [&](std::exception_ptr, int) { ++done; });
               }
               auto all = co_await eventually(10s, [&] { return done == 20; });

               CHECK(all);
               CHECK(most == 3);
           });
}

TEST_CASE("a serve ends with the channel, after the replies that are under way", "[call]")
{
    within(10s,
           []() -> task<>
           {
               served by;
               by.serve(slowly);
               std::string text(20, 'x');
               auto call = by.one.call<std::string>(text);
               by.one.disconnect();
               auto reply = co_await std::move(call);
               CHECK(reply == text + '!');
               auto ended = co_await eventually(5s, [&] { return by.has_ended; });
               CHECK(ended);
           });
}

TEST_CASE("a call may return nothing", "[call]")
{
    within(10s,
           []() -> task<>
           {
               served by;
               int seen = 0;
               by.serve([&](int number) { seen = number; });
               int number = 8;
               co_await by.one.call<void>(number);
               CHECK(seen == 8);
           });
}
