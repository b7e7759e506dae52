// SPDX-License-Identifier: BSL-1.0
#include <brood/base/detail/shared_result.hpp>

#include <brood/base/loop.hpp>

#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <string>

using namespace brood;
using namespace std::chrono_literals;
using brood::detail::shared_result;

namespace
{

using result = shared_result<std::string>;

task<> collect(std::shared_ptr<result> from, std::vector<std::string>& into)
{
    auto value = co_await from->get();
    into.push_back(value);
}

std::shared_ptr<result> make_result()
{
    return std::make_shared<result>(default_executor());
}

} // namespace

TEST_WITHIN(5s, "any number may wait before the value is set, and after", "[shared_result]")
{
    std::vector<std::string> got;
    auto shared = make_result();
    for (int waiter = 0; waiter < 3; ++waiter)
        asio::co_spawn(default_executor(), collect(shared, got), asio::detached);
    co_await sleep(0ms);
    CHECK(got.empty());

    shared->set("done");
    CHECK(got.empty()); // they go on in a later turn
    co_await sleep(1ms);
    CHECK(got == std::vector<std::string>(3, "done"));

    auto after = co_await shared->get();
    CHECK(after == "done");
}

TEST_WITHIN(5s, "the first value stays", "[shared_result]")
{
    auto shared = make_result();
    CHECK_FALSE(shared->ready());
    CHECK_FALSE(shared->peek());

    shared->set("first");
    shared->set("second");

    CHECK(shared->ready());
    CHECK(shared->peek() == "first");
    auto value = co_await shared->get();
    CHECK(value == "first");
}

TEST_CASE("a wait that loses a race can be repeated", "[shared_result]")
{
    using namespace asio::experimental::awaitable_operators;

    within(5s,
           []() -> task<>
           {
               auto shared = make_result();

               auto winner = co_await (shared->get() || sleep(1ms));
               CHECK(winner.index() == 1);
               shared->set("late");

               auto value = co_await shared->get();
               CHECK(value == "late");
           });
}

TEST_WITHIN(5s, "a wait with a limit gives nothing when it is over", "[shared_result]")
{
    auto shared = make_result();

    auto early = co_await shared->get_until(std::chrono::steady_clock::now() + 1ms);
    CHECK_FALSE(early);
    shared->set("late");
    auto after = co_await shared->get_until(std::chrono::steady_clock::now());

    CHECK(after == "late");
}

TEST_WITHIN(5s, "a wait with a limit that is cancelled throws, and gives no value",
            "[shared_result]")
{
    auto shared = make_result();
    asio::cancellation_signal cancel;
    std::string got;
    auto waiting = [](std::shared_ptr<result> from, std::string& into) -> task<>
    {
        try
        {
            auto value = co_await from->get_until(std::chrono::steady_clock::now() + 1h);
            into = value.value_or("nothing");
        }
        catch (const std::system_error& thrown)
        {
            into = thrown.code() == asio::error::operation_aborted ? "cancelled" : "another";
        }
    };
    asio::co_spawn(default_executor(), waiting(shared, got),
                   asio::bind_cancellation_slot(cancel.slot(), asio::detached));
    co_await sleep(1ms);

    cancel.emit(asio::cancellation_type::terminal);
    co_await sleep(1ms);

    CHECK(got == "cancelled");
}

TEST_CASE("a loop may end while somebody waits", "[shared_result]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            std::vector<std::string> got;
            auto shared = make_result();
            asio::co_spawn(default_executor(), collect(shared, got), asio::detached);
            co_await sleep(0ms);
            shared->set("done");
            co_await shared->get();
            co_await sleep(0ms);
        });
}
