// SPDX-License-Identifier: BSL-1.0
#include <brood/base/detail/wait_queue.hpp>

#include <brood/base/loop.hpp>

#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>

using namespace brood;
using namespace std::chrono_literals;
using brood::detail::wait_queue;

namespace
{

using names = std::vector<std::string>;

/// Waits, then writes down its name, or what was thrown at it.
task<> wait_as(std::shared_ptr<wait_queue> queue, std::string name, names& log,
               detail::deadline until = {})
{
    try
    {
        auto in_time = co_await queue->wait_until(until);
        log.push_back(in_time ? name : name + ": too late");
    }
    catch (const std::system_error& thrown)
    {
        log.push_back(name + ": " + thrown.code().message());
    }
}

struct fixture
{
    std::shared_ptr<wait_queue> queue = std::make_shared<wait_queue>(default_executor());
    names log;

    void start(const std::string& name, detail::deadline until = {})
    {
        asio::co_spawn(default_executor(), wait_as(queue, name, log, until), asio::detached);
    }
};

} // namespace

TEST_WITHIN(5s, "waiters go on in the order they came", "[wait_queue]")
{
    fixture all;
    all.start("one");
    all.start("two");
    all.start("three");
    co_await sleep(0ms);

    all.queue->post_one();
    CHECK(all.log.empty()); // not inside this call
    co_await sleep(0ms);
    CHECK(all.log == names{"one"});

    all.queue->post_all();
    co_await sleep(0ms);
    CHECK(all.log == names{"one", "two", "three"});
    CHECK(all.queue->empty());
}

TEST_WITHIN(5s, "resume_one() runs the first waiter inside the call", "[wait_queue]")
{
    fixture all;
    all.start("one");
    all.start("two");
    co_await sleep(0ms);

    asio::post(default_executor(),
               [&all]
               {
                   all.queue->resume_one();
                   CHECK(all.log == names{"one"});
               });
    co_await sleep(1ms);

    CHECK(all.log == names{"one"});
    all.queue->post_all();
    co_await sleep(0ms);
}

TEST_WITHIN(5s, "who waits with a ticket is woken by it, before those that came first",
            "[wait_queue]")
{
    fixture all;
    wait_queue::ticket held, unheld;
    auto wait = [&all](std::string name, wait_queue::ticket& with) -> task<>
    {
        co_await all.queue->wait(with);
        all.log.push_back(std::move(name));
    };
    all.start("one");
    asio::co_spawn(default_executor(), wait("two", held), asio::detached);
    co_await sleep(0ms);
    CHECK(held.waits());
    CHECK_FALSE(unheld.waits());

    asio::post(default_executor(),
               [&]
               {
                   all.queue->resume(unheld); // nobody waits with it
                   all.queue->resume(held);
                   all.queue->resume(held);
                   CHECK(all.log == names{"two"});
               });
    co_await sleep(1ms);
    CHECK_FALSE(held.waits());

    asio::co_spawn(default_executor(), wait("three", held), asio::detached);
    co_await sleep(0ms);
    CHECK(held.waits());
    all.queue->post_all();
    CHECK_FALSE(held.waits()); // it has been woken
    co_await sleep(0ms);
    CHECK(all.log == names{"two", "one", "three"});

    auto in_time = co_await all.queue->wait_until(std::chrono::steady_clock::now() + 1ms, held);
    CHECK_FALSE(in_time);
    CHECK_FALSE(held.waits());
}

TEST_WITHIN(5s, "waking nobody is nothing", "[wait_queue]")
{
    fixture all;

    all.queue->post_one();
    all.queue->post_all();
    all.queue->resume_one();
    all.start("late");
    co_await sleep(1ms);

    CHECK(all.log.empty()); // a wake-up is not kept for who comes later
    all.queue->post_all();
    co_await sleep(0ms);
}

TEST_WITHIN(5s, "a cancelled wait throws, and the next waiter gets the turn", "[wait_queue]")
{
    fixture all;
    asio::cancellation_signal cancel;
    asio::co_spawn(default_executor(), wait_as(all.queue, "one", all.log),
                   asio::bind_cancellation_slot(cancel.slot(), asio::detached));
    all.start("two");
    co_await sleep(0ms);

    cancel.emit(asio::cancellation_type::terminal);
    all.queue->post_one();
    co_await sleep(1ms);

    CHECK(all.log == names{"one: Operation aborted.", "two"});
}

TEST_WITHIN(5s, "a wait ends at its deadline, which it tells, and only then", "[wait_queue]")
{
    fixture all;
    auto now = std::chrono::steady_clock::now();
    all.start("short", now + 10ms);
    all.start("long", now + 1h);
    auto ended = co_await test::eventually(5s, [&all] { return !all.log.empty(); });
    CHECK(ended);
    CHECK(std::chrono::steady_clock::now() - now >= 10ms);
    CHECK(all.log == names{"short: too late"});

    all.queue->post_one();
    co_await sleep(1ms);

    CHECK(all.log.back() == "long");
}

TEST_WITHIN(5s, "a queue that goes cancels who waits", "[wait_queue]")
{
    names log;
    auto waiting = [](wait_queue& queue, names& into) -> task<>
    {
        try
        {
            co_await queue.wait();
        }
        catch (const std::system_error& thrown)
        {
            into.push_back(thrown.code().message());
        }
    };
    {
        wait_queue queue(default_executor());
        asio::co_spawn(default_executor(), waiting(queue, log), asio::detached);
        co_await sleep(0ms);
    }
    co_await sleep(1ms);

    CHECK(log == names{"Operation aborted."});
}

TEST_CASE("a loop may end while a coroutine waits that owns its queue", "[wait_queue]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            fixture all;
            all.start("one");
            all.start("two", std::chrono::steady_clock::now() + 1h);
            co_await sleep(0ms);
            all.queue->post_one();
            co_await sleep(0ms);
            all.queue->post_all();
            co_await sleep(0ms);
        });
}
