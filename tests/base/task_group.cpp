// SPDX-License-Identifier: BSL-1.0
#include <brood/base/task_group.hpp>

#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/loop.hpp>

#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <optional>
#include <stdexcept>

using namespace brood;
using namespace std::chrono_literals;

namespace
{

using names = std::vector<std::string>;

/// Writes down its beginning and its end: regular, or what was thrown at it.
task<> write(names& log, std::string name, std::chrono::milliseconds time)
{
    log.push_back(name);
    try
    {
        co_await sleep(time);
        log.push_back(name + " done");
    }
    catch (const std::system_error& thrown)
    {
        if (thrown.code() != asio::error::operation_aborted)
            log.push_back(name + ": " + thrown.what());
        log.push_back(name + " cancelled");
        throw;
    }
}

task<> fail(std::string why, std::chrono::milliseconds time = 0ms)
{
    co_await sleep(time);
    throw std::runtime_error(why);
}

/// Needs some turns to end after it has been cancelled, and then says nothing of it.
task<> end_slowly(names& log)
{
    try
    {
        co_await sleep(1h);
    }
    catch (const std::system_error&)
    {
        log.push_back("ending");
    }
    co_await asio::this_coro::reset_cancellation_state();
    co_await sleep(10ms);
    log.push_back("ended");
}

/// What was thrown, as text; empty when nothing was.
task<std::string> caught(task<> from)
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

/// A coroutine beside the test, that can be cancelled, and how it ended.
struct beside
{
    explicit beside(task<> work)
    {
        asio::co_spawn(default_executor(), caught(std::move(work)),
                       asio::bind_cancellation_slot(cancel.slot(),
                                                    [this](std::exception_ptr, std::string text)
                                                    { ended = std::move(text); }));
    }

    asio::cancellation_signal cancel;
    std::optional<std::string> ended;
};

/// Where members wait until the test lets them go on, all of them in the same turn.
using gate = detail::wait_queue;

/// Writes down its beginning, and its end behind the gate.
task<> write_behind(names& log, std::string name, gate& closed)
{
    log.push_back(name);
    co_await closed.wait();
    log.push_back(name + " done");
}

/// Some turns of the loop, enough for all that needs no time.
task<> turns()
{
    for (int turn = 0; turn < 10; ++turn)
        co_await sleep(0ms);
}

} // namespace

TEST_WITHIN(5s, "members begin in a later turn, in order, and run beside each other",
            "[task_group]")
{
    names log;
    gate closed(default_executor());
    task_group group;
    CHECK(group.empty());

    group.start(write_behind(log, "one", closed));
    group.start(write_behind(log, "two", closed));
    CHECK(log.empty());
    CHECK(group.waiting() == 2);
    CHECK(group.running() == 0);
    CHECK_FALSE(group.empty());

    co_await turns();
    CHECK(log == names{"one", "two"});
    CHECK(group.waiting() == 0);
    CHECK(group.running() == 2);

    closed.post_all();
    co_await group.join();
    CHECK(log == names{"one", "two", "one done", "two done"});
    CHECK(group.empty());
}

TEST_WITHIN(5s, "join() does not suspend when there is no member", "[task_group]")
{
    task_group group;
    bool others_ran = false;
    auto executor = co_await asio::this_coro::executor;
    asio::post(executor, [&others_ran] { others_ran = true; });

    co_await group.join();

    CHECK_FALSE(others_ran);
    co_await turns();
}

TEST_WITHIN(5s, "what is added while the group is awaited is awaited as well", "[task_group]")
{
    names log;
    task_group group;
    group.start(
        [&]() -> task<>
        {
            group.start(
                [&]() -> task<>
                {
                    co_await sleep(5ms);
                    group.start(write(log, "last", 5ms));
                });
            co_await sleep(1ms);
        });

    co_await group.join();

    CHECK(log == names{"last", "last done"});
}

TEST_WITHIN(5s, "no more run at a time than the group may, and those that wait keep their order",
            "[task_group]")
{
    names log;
    std::size_t most = 0;
    task_group group(2);
    for (int number = 0; number < 7; ++number)
        group.start(
            [&, number]() -> task<>
            {
                log.push_back(std::to_string(number));
                most = std::max(most, group.running());
                co_await sleep(std::chrono::milliseconds(7 - number));
            });

    co_await group.join();

    CHECK(most == 2);
    CHECK(log == names{"0", "1", "2", "3", "4", "5", "6"});
}

TEST_WITHIN(5s, "a group in which nothing could run is refused", "[task_group]")
{
    CHECK_THROWS_AS(task_group(0), std::invalid_argument);
    co_return;
}

TEST_WITHIN(20s, "very many members that never suspend are no recursion", "[task_group]")
{
    int done = 0;
    task_group group(1);
    for (int number = 0; number < 50'000; ++number)
        group.start(
            [&done]() -> task<>
            {
                ++done;
                co_return;
            });

    co_await group.join();

    CHECK(done == 50'000);
}

TEST_WITHIN(5s, "the first exception cancels the others, and comes out when they have ended",
            "[task_group]")
{
    names log;
    task_group group(3);
    group.start(write(log, "one", 1h));
    group.start(end_slowly(log));
    group.start(fail("broken", 1ms));
    group.start(write(log, "never", 0ms));

    auto thrown = co_await caught(group.join());

    CHECK(thrown == "broken");
    CHECK(group.empty());
    CHECK(log == names{"one", "one cancelled", "ending", "ended"});
}

TEST_WITHIN(5s, "of several exceptions the first comes out", "[task_group]")
{
    task_group group;
    group.start(fail("first", 5ms));
    group.start(
        []() -> task<>
        {
            try
            {
                co_await sleep(1h);
            }
            catch (const std::exception&)
            {
                throw std::runtime_error("while it was cancelled");
            }
        });
    auto at_once = []() -> task<>
    {
        co_await sleep(5ms);
        throw std::runtime_error("in the same turn");
    };
    group.start(at_once);
    group.start(at_once);

    auto thrown = co_await caught(group.join());

    CHECK(thrown == "first");
    auto again = co_await caught(group.join());
    CHECK(again.empty());
}

TEST_WITHIN(5s, "what is no std::exception comes out as well", "[task_group]")
{
    task_group group;
    group.start(
        []() -> task<>
        {
            co_await sleep(0ms);
            throw 7;
        });
    int thrown = 0;

    try
    {
        co_await group.join();
    }
    catch (int number)
    {
        thrown = number;
    }

    CHECK(thrown == 7);
}

TEST_WITHIN(5s, "an operation_aborted that nobody asked for is a failure", "[task_group]")
{
    names log;
    task_group group;
    group.start(write(log, "one", 1h));
    group.start(
        []() -> task<>
        {
            co_await sleep(0ms);
            throw std::system_error(asio::error::operation_aborted);
        });

    auto thrown = co_await caught(group.join());

    CHECK(thrown == "cancelled");
    CHECK(log == names{"one", "one cancelled"});
}

TEST_WITHIN(5s, "after a failure what is started is dropped until join() has told", "[task_group]")
{
    names log;
    task_group group;
    group.start(fail("broken"));
    co_await turns();
    CHECK(group.empty());

    group.start(write(log, "dropped", 0ms));
    CHECK(group.empty());
    auto thrown = co_await caught(group.join());
    CHECK(thrown == "broken");

    group.start(write(log, "as new", 0ms));
    auto again = co_await caught(group.join());
    CHECK(again.empty());
    CHECK(log == names{"as new", "as new done"});
}

TEST_WITHIN(5s, "any number may await a group, and are told the same", "[task_group]")
{
    names log;
    task_group group;
    group.start(fail("broken", 5ms));
    beside first(group.join()), second(group.join());

    auto thrown = co_await caught(group.join());

    CHECK(thrown == "broken");
    co_await turns();
    CHECK(first.ended == "broken");
    CHECK(second.ended == "broken");
    auto again = co_await caught(group.join());
    CHECK(again.empty());
}

TEST_WITHIN(5s, "a cancelled join() cancels all members, and throws when they have ended",
            "[task_group]")
{
    names log;
    task_group group(2);
    group.start(write(log, "one", 1h));
    group.start(end_slowly(log));
    group.start(write(log, "never", 0ms));
    beside joining(group.join());
    co_await turns();

    joining.cancel.emit(asio::cancellation_type::terminal);
    co_await turns();
    CHECK(log == names{"one", "one cancelled", "ending"});
    CHECK_FALSE(joining.ended);
    CHECK(group.running() == 1);
    joining.cancel.emit(asio::cancellation_type::terminal); // changes nothing

    auto ended = co_await test::eventually(5s, [&joining] { return joining.ended.has_value(); });
    CHECK(ended);
    CHECK(joining.ended == "cancelled");
    CHECK(log.back() == "ended");
    CHECK(group.empty());
}

TEST_WITHIN(5s, "who cancelled a join() stays cancelled", "[task_group]")
{
    names log;
    task_group group;
    group.start(end_slowly(log));
    auto join_twice = [](task_group& joined, names& into) -> task<>
    {
        auto first = co_await caught(joined.join());
        into.push_back("first: " + first);
        co_await sleep(0ms); // throws, as without the group
        into.push_back("not here");
    };
    beside joining(join_twice(group, log));
    co_await turns();

    joining.cancel.emit(asio::cancellation_type::terminal);

    auto ended = co_await test::eventually(5s, [&joining] { return joining.ended.has_value(); });
    CHECK(ended);
    CHECK(joining.ended == "cancelled");
    CHECK(log == names{"ending", "ended", "first: cancelled"});
}

TEST_WITHIN(5s, "a join() that is cancelled in the turn in which the last member ends has joined",
            "[task_group]")
{
    names log;
    task_group group;
    asio::cancellation_signal* cancel = nullptr;
    group.start(
        [&]() -> task<>
        {
            co_await sleep(1ms);
            asio::post(default_executor(),
                       [&] { cancel->emit(asio::cancellation_type::terminal); });
        });
    beside joining(group.join());
    cancel = &joining.cancel;

    auto ended = co_await test::eventually(5s, [&joining] { return joining.ended.has_value(); });

    CHECK(ended);
    CHECK(joining.ended == "");
}

TEST_WITHIN(5s, "a cancellation meets members that end in the same turn", "[task_group]")
{
    names log;
    gate closed(default_executor());
    task_group group;
    std::optional<beside> joining;
    for (int number = 0; number < 3; ++number)
        group.start(
            [&, number]() -> task<>
            {
                co_await closed.wait();
                if (number == 1)
                    joining->cancel.emit(asio::cancellation_type::terminal);
                log.push_back(std::to_string(number));
            });
    group.start(write(log, "long", 1h));
    joining.emplace(group.join());
    co_await turns();

    closed.post_all();

    auto ended = co_await test::eventually(5s, [&joining] { return joining->ended.has_value(); });

    CHECK(ended);
    CHECK(joining->ended == "cancelled");
    CHECK(log == names{"long", "0", "1", "2", "long cancelled"});
    CHECK(group.empty());
}

TEST_WITHIN(5s, "a failure before the cancellation is what comes out", "[task_group]")
{
    names log;
    task_group group;
    group.start(end_slowly(log));
    group.start(fail("broken"));
    beside joining(group.join());
    co_await turns();

    joining.cancel.emit(asio::cancellation_type::terminal);

    auto ended = co_await test::eventually(5s, [&joining] { return joining.ended.has_value(); });
    CHECK(ended);
    CHECK(joining.ended == "broken");
    CHECK(log == names{"ending", "ended"});
}

TEST_WITHIN(5s, "cancel() ends the members that run and drops those that wait", "[task_group]")
{
    names log;
    task_group group(1);
    group.start(write(log, "one", 1h));
    group.start(write(log, "never", 0ms));
    co_await turns();

    group.cancel();
    CHECK(group.waiting() == 0);
    group.start(write(log, "dropped", 0ms));
    CHECK(group.waiting() == 0);

    auto thrown = co_await caught(group.join());
    CHECK(thrown.empty());
    CHECK(log == names{"one", "one cancelled"});

    group.start(write(log, "as new", 0ms));
    co_await group.join();
    CHECK(log.back() == "as new done");
}

TEST_WITHIN(5s, "after cancel() an exception that is no cancellation comes out", "[task_group]")
{
    task_group group;
    group.start(
        []() -> task<>
        {
            try
            {
                co_await sleep(1h);
            }
            catch (const std::exception&)
            {
                throw std::runtime_error("could not end");
            }
        });
    co_await turns();

    group.cancel();

    auto thrown = co_await caught(group.join());
    CHECK(thrown == "could not end");
}

TEST_WITHIN(5s, "a member may cancel its own group", "[task_group]")
{
    names log;
    task_group group;
    group.start(write(log, "one", 1h));
    group.start(
        [&]() -> task<>
        {
            co_await sleep(0ms);
            group.cancel();
            co_await sleep(1h);
        });

    co_await group.join();

    CHECK(log == names{"one", "one cancelled"});
}

TEST_WITHIN(5s, "a group that is dropped ends its members, each at its next suspension",
            "[task_group]")
{
    auto log = std::make_shared<names>();
    auto member = [](std::shared_ptr<names> into) -> task<>
    {
        co_await write(*into, "one", 1h);
    };
    {
        task_group group(1);
        group.start(member(log));
        group.start(member(log));
        co_await turns();
        CHECK(log.use_count() == 3);
    }
    CHECK(log.use_count() == 2); // what had not begun has gone at once
    co_await turns();

    CHECK(*log == names{"one", "one cancelled"});
    CHECK(log.use_count() == 1);
}

TEST_WITHIN(5s, "a group moves, and drops what it had", "[task_group]")
{
    names log;
    task_group group;
    group.start(write(log, "old", 1h));
    co_await turns();
    gate closed(default_executor());
    task_group other;
    other.start(write_behind(log, "new", closed));
    co_await turns();

    group = std::move(other);
    co_await turns();
    closed.post_all();
    co_await group.join();
    task_group third(std::move(group));
    third.start(write(log, "third", 0ms));
    co_await third.join();

    CHECK(log == names{"old", "new", "old cancelled", "new done", "third", "third done"});
}

TEST_WITHIN(5s, "a function is kept as long as its coroutine runs", "[task_group]")
{
    auto kept = std::make_shared<int>(0);
    gate closed(default_executor());
    task_group group;
    group.start(
        [kept, &closed]() -> task<>
        {
            co_await closed.wait();
            ++*kept;
        });
    co_await turns();
    CHECK(kept.use_count() == 2);

    closed.post_all();
    co_await group.join();

    CHECK(kept.use_count() == 1);
    CHECK(*kept == 1);
}

TEST_WITHIN(20s, "room() holds a producer, so that few members wait however many are started",
            "[task_group]")
{
    std::size_t most = 0, done = 0;
    task_group group(3);
    for (int number = 0; number < 1'000; ++number)
    {
        co_await group.room();
        group.start(
            [&done]() -> task<>
            {
                co_await sleep(0ms);
                ++done;
            });
        most = std::max(most, group.running() + group.waiting());
    }

    co_await group.join();

    CHECK(most == 3);
    CHECK(done == 1'000);
}

TEST_WITHIN(5s, "room() of a group that failed throws what join() throws, when it would",
            "[task_group]")
{
    names log;
    task_group group(2);
    group.start(end_slowly(log));
    group.start(fail("broken", 1ms));

    auto thrown = co_await caught(group.room());

    CHECK(thrown == "broken");
    CHECK(log == names{"ending", "ended"});
    auto again = co_await caught(group.join());
    CHECK(again.empty());
}

TEST_WITHIN(5s, "room() of a group that was cancelled throws", "[task_group]")
{
    names log;
    task_group group(1);
    group.start(write(log, "one", 1h));
    beside waiting(group.room());
    co_await turns();

    group.cancel();
    co_await turns();
    CHECK(waiting.ended == "cancelled");
    auto thrown = co_await caught(group.room());
    CHECK(thrown == "cancelled");

    co_await group.join();
    co_await group.room(); // as new
}

TEST_WITHIN(5s, "a room() that is cancelled leaves the group alone", "[task_group]")
{
    names log;
    gate closed(default_executor());
    task_group group(1);
    group.start(write_behind(log, "one", closed));
    beside waiting(group.room());
    co_await turns();

    waiting.cancel.emit(asio::cancellation_type::terminal);
    co_await turns();
    CHECK(group.running() == 1);

    closed.post_all();
    co_await group.join();
    CHECK(waiting.ended == "cancelled");
    CHECK(log == names{"one", "one done"});
}

TEST_WITHIN(5s, "a group can lose a race, which ends its members", "[task_group]")
{
    using namespace asio::experimental::awaitable_operators;
    names log;
    task_group group;
    group.start(write(log, "one", 1h));

    auto winner = co_await (group.join() || sleep(1ms));

    CHECK(winner.index() == 1);
    CHECK(log == names{"one", "one cancelled"});
    CHECK(group.empty());
}

TEST_CASE("a group may be on a loop of its own, and outlive it", "[task_group]")
{
    names log;
    std::optional<task_group> group;
    auto kept = std::make_shared<int>(0);
    auto hold = [](std::shared_ptr<int>) -> task<>
    {
        co_await sleep(1h);
    };
    {
        asio::io_context loop;
        group.emplace(loop.get_executor(), 1);
        group->start(write(log, "one", 1ms));
        loop.run();
        CHECK(log == names{"one", "one done"});

        group->start(hold(kept));
        group->start(hold(kept));
        loop.restart();
        loop.poll();
        CHECK(group->running() == 1);
        CHECK(group->waiting() == 1);
    }
    CHECK(kept.use_count() == 1);

    group->start(hold(kept));
    group->cancel();
    CHECK(group->waiting() == 0);
    CHECK(kept.use_count() == 1);
    group.reset();
}

TEST_CASE("a loop may end while a group is awaited, wherever it is", "[task_group]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            names log;
            task_group group(2);
            group.start(write(log, "one", 1ms));
            group.start(write(log, "two", 0ms));
            group.start(write(log, "three", 0ms));
            co_await group.room();
            group.start(end_slowly(log));
            group.start(fail("broken", 2ms));
            co_await caught(group.join());
        });
}

TEST_CASE("a loop may end while members own their group", "[task_group]")
{
    auto counted = std::make_shared<int>(0);
    abandoned_at_every_step(
        [counted]() -> task<>
        {
            auto group = std::make_shared<task_group>(2);
            auto member = [](std::shared_ptr<task_group> own, std::shared_ptr<int>) -> task<>
            {
                co_await sleep(0ms);
                own->start([own]() -> task<> { co_await sleep(0ms); });
            };
            for (int number = 0; number < 4; ++number)
                group->start(member(group, counted));
            co_await group->join();
        });
    CHECK(counted.use_count() == 1);
}
