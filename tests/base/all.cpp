// SPDX-License-Identifier: BSL-1.0
#include <brood/base/all.hpp>

#include "support/within.hpp"

#include <asio/experimental/awaitable_operators.hpp>

#include <stdexcept>

using namespace brood;
using namespace std::chrono_literals;

namespace
{

template <class Value>
task<Value> give(Value value, std::chrono::milliseconds time = 0ms)
{
    co_await sleep(time);
    co_return value;
}

task<> count(int& counter, std::chrono::milliseconds time = 0ms)
{
    ++counter;
    co_await sleep(time);
    ++counter;
}

task<int> fail(std::string why, std::chrono::milliseconds time = 0ms)
{
    co_await sleep(time);
    throw std::runtime_error(why);
}

/// Needs some turns to end after it has been cancelled.
task<int> end_slowly(bool& ended)
{
    try
    {
        co_await sleep(1h);
    }
    catch (const std::system_error&)
    {
    }
    co_await asio::this_coro::reset_cancellation_state();
    co_await sleep(10ms);
    ended = true;
    co_return 1;
}

/// What was thrown, as text; empty when nothing was.
template <class Value>
task<std::string> caught(task<Value> from)
{
    try
    {
        co_await std::move(from);
    }
    catch (const std::system_error& thrown)
    {
        co_return thrown.code() == asio::error::operation_aborted ? "cancelled" : thrown.what();
    }
    catch (const std::exception& thrown)
    {
        co_return thrown.what();
    }
    co_return "";
}

struct person
{
    std::string name;
    std::vector<std::string> orders;
};

/// Can only be made with a value, and only moved.
struct strict
{
    explicit strict(int from) : value(std::make_unique<int>(from)) {}

    std::unique_ptr<int> value;
};

task<strict> give_strict(int value)
{
    co_await sleep(0ms);
    co_return strict(value);
}

} // namespace

TEST_WITHIN(5s, "all() gives the results in the order of its arguments", "[all]")
{
    int counter = 0;

    auto results = co_await all(give(1, 10ms), give(std::string("two"), 1ms), count(counter));

    static_assert(std::is_same_v<decltype(results), std::tuple<int, std::string, std::monostate>>);
    auto& [one, two, nothing] = results;
    CHECK(one == 1);
    CHECK(two == "two");
    CHECK(nothing == std::monostate());
    CHECK(counter == 2);
}

TEST_WITHIN(5s, "all() begins when it is awaited, each in a later turn", "[all]")
{
    int counter = 0;
    {
        auto never = all(count(counter), count(counter));
    }
    auto both = all(count(counter, 1ms), count(counter, 1ms));
    co_await sleep(1ms);
    CHECK(counter == 0);

    co_await std::move(both);

    CHECK(counter == 4);
}

TEST_WITHIN(5s, "all() runs them beside each other", "[all]")
{
    int counter = 0, seen = 0;
    auto look = [](const int& at, int& into) -> task<>
    {
        co_await sleep(5ms);
        into = at;
    };

    co_await all(count(counter, 10ms), look(counter, seen), count(counter, 20ms));

    CHECK(seen >= 2);
    CHECK(counter == 4);
}

TEST_WITHIN(5s, "all() gives what can only be moved, and what has no default", "[all]")
{
    auto results = co_await all(give_strict(1), give(std::make_unique<int>(2)), give_strict(3));

    CHECK(*std::get<0>(results).value == 1);
    CHECK(*std::get<1>(results) == 2);
    CHECK(*std::get<2>(results).value == 3);
}

TEST_WITHIN(5s, "all() gives aggregates whole", "[all]")
{
    person first{"a name that is too long to be inside", {"one", "two"}};
    person second{"b", {}};

    auto results = co_await all(give(first), give(second));

    auto& [one, two] = results;
    CHECK(one.name == first.name);
    CHECK(one.orders == first.orders);
    CHECK(two.name == "b");
}

TEST_WITHIN(5s, "all() of nothing, and of one", "[all]")
{
    auto nothing = co_await all();
    CHECK(std::tuple_size_v<decltype(nothing)> == 0);

    auto one = co_await all(give(1));
    CHECK(std::get<0>(one) == 1);
}

TEST_WITHIN(5s, "the first exception cancels the others, and comes out when they have ended",
            "[all]")
{
    bool ended = false;

    auto thrown =
        co_await caught(all(give(1), end_slowly(ended), fail("broken", 1ms), fail("too late", 1h)));

    CHECK(thrown == "broken");
    CHECK(ended);
}

TEST_WITHIN(5s, "of several exceptions at once the first comes out", "[all]")
{
    auto thrown = co_await caught(all(fail("first"), fail("second"), fail("third")));

    CHECK(thrown == "first");
}

TEST_WITHIN(5s, "cancelled, all() cancels all and waits for their end", "[all]")
{
    using namespace asio::experimental::awaitable_operators;
    bool ended = false;
    int counter = 0;
    auto both = [](bool& flag, int& number) -> task<std::string>
    {
        auto text = co_await caught(all(end_slowly(flag), count(number, 1h), give(7)));
        co_return text;
    };
    auto stop = [](const int& begun) -> task<>
    {
        while (begun == 0)
            co_await sleep(0ms);
        throw std::runtime_error("enough");
    };
    std::string thrown;
    auto keep = [](task<std::string> from, std::string& into) -> task<>
    {
        into = co_await std::move(from);
    };

    auto told = co_await caught(keep(both(ended, counter), thrown) && stop(counter));

    CHECK(told == "enough");
    CHECK(thrown == "cancelled");
    CHECK(ended);
    CHECK(counter == 1);
}

TEST_WITHIN(5s, "all() stands inside all()", "[all]")
{
    auto results = co_await all(all(give(1), give(2)), all(give(3)));

    auto& [inner, other] = results;
    CHECK(std::get<1>(inner) == 2);
    CHECK(std::get<0>(other) == 3);
}

TEST_WITHIN(5s, "a vector of one kind gives a vector, in its order", "[all]")
{
    std::vector<task<std::string>> members;
    for (int number = 0; number < 5; ++number)
        members.push_back(give(std::to_string(number), std::chrono::milliseconds(10 - number)));

    auto results = co_await all(std::move(members));

    CHECK(results == std::vector<std::string>{"0", "1", "2", "3", "4"});
}

TEST_WITHIN(5s, "a vector runs at most so many at a time", "[all]")
{
    int running = 0, most = 0;
    auto member = [](int& now, int& highest, bool result) -> task<bool>
    {
        highest = std::max(highest, ++now);
        co_await sleep(1ms);
        --now;
        co_return result;
    };
    std::vector<task<bool>> members;
    for (int number = 0; number < 7; ++number)
        members.push_back(member(running, most, number % 2 == 0));

    auto results = co_await all(std::move(members), 3);

    CHECK(most == 3);
    CHECK(results == std::vector<bool>{true, false, true, false, true, false, true});
}

TEST_WITHIN(5s, "a vector of coroutines that give nothing gives nothing", "[all]")
{
    int counter = 0;
    std::vector<task<>> members;
    for (int number = 0; number < 3; ++number)
        members.push_back(count(counter));

    co_await all(std::move(members));

    CHECK(counter == 6);
    co_await all(std::vector<task<>>());
    auto none = co_await all(std::vector<task<int>>());
    CHECK(none.empty());
}

TEST_WITHIN(5s, "in a vector as well the first exception comes out", "[all]")
{
    bool ended = false;
    std::vector<task<int>> members;
    members.push_back(end_slowly(ended));
    members.push_back(fail("broken"));
    members.push_back(give(1, 1h));

    auto thrown = co_await caught(all(std::move(members), 2));

    CHECK(thrown == "broken");
    CHECK(ended);
}

TEST_CASE("a loop may end while all() is awaited", "[all]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            bool ended = false;
            std::vector<task<std::string>> members;
            members.push_back(give(std::string("a text that is too long to be inside"), 1ms));
            members.push_back(give(std::string("two")));
            auto results = co_await all(all(std::move(members), 1), give_strict(1));
            auto broken = all(end_slowly(ended), fail("broken", 1ms));
            co_await caught(std::move(broken));
        });
}
