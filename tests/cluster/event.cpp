// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/event.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/cluster/detail/core/event_hub.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/race.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/post.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using brood::cluster_event;
using brood::event_stream;
using brood::task;
using brood::detail::event_hub;

namespace
{

std::shared_ptr<brood::detail::worker_core> worker(std::uint64_t id)
{
    return std::make_shared<brood::detail::worker_core>(brood::default_executor(), id, 0);
}

} // namespace

TEST_WITHIN(5s, "each listener gets every event from the moment it listens", "[event]")
{
    event_hub hub(brood::default_executor());
    event_stream one(hub.subscribe());
    hub.publish(cluster_event::kind::fork, worker(1));
    event_stream late(hub.subscribe());
    hub.publish(cluster_event::kind::ready, worker(2), "text");
    hub.end();

    auto first = co_await one.next();
    auto second = co_await one.next();
    auto end = co_await one.next();
    auto only = co_await late.next();

    REQUIRE((first && second && only));
    CHECK(first->what == cluster_event::kind::fork);
    CHECK(first->worker.id() == 1);
    CHECK(second->text == "text");
    CHECK_FALSE(end);
    CHECK(only->worker.id() == 2);
}

TEST_WITHIN(5s, "a listener that comes after the end is told so", "[event]")
{
    event_hub hub(brood::default_executor());
    hub.end();
    event_stream late(hub.subscribe());
    auto none = co_await late.next();
    CHECK_FALSE(none);
}

TEST_WITHIN(20s, "a listener that never looks loses the oldest and is told how many", "[event]")
{
    event_hub hub(brood::default_executor());
    event_stream slow(hub.subscribe());
    auto about = worker(1);
    for (int count = 0; count < 65'536 + 10; ++count)
        hub.publish(cluster_event::kind::fork, about, std::to_string(count));
    auto oldest = co_await slow.next();

    CHECK(slow.missed() == 10);
    REQUIRE(oldest);
    CHECK(oldest->text == "10");
}

TEST_WITHIN(20s, "ends that nobody takes hold no more than 16 MiB of what was printed", "[event]")
{
    using ends = brood::detail::event_queue<brood::exit_info>;
    auto queue = std::make_shared<ends>(brood::default_executor());
    event_hub hub(brood::default_executor());
    event_stream slow(hub.subscribe());
    brood::exit_info ended;
    ended.last_output = std::string(8'192, 'x');
    constexpr std::size_t fit = ends::most_text / 8'192, more = 5;
    for (std::size_t count = 0; count < fit + more; ++count)
    {
        ended.id = count;
        queue->push(ended);
        hub.publish(cluster_event::kind::exit, worker(count), {}, ended);
    }
    queue->end();

    std::size_t told = 0, without = 0;
    for (auto next = co_await ends::next(queue); next; next = co_await ends::next(queue))
    {
        CHECK(next->id == told++);
        without += next->last_output.empty() ? 1U : 0U;
    }
    auto oldest = co_await slow.next();

    CHECK(told == fit + more); // none is missed
    CHECK(without == more);
    CHECK(slow.missed() == more);
    REQUIRE(oldest);
    CHECK(oldest->ended->id == more);
}

TEST_WITHIN(20s,
            "it is the oldest ends that are told without their output, also once some were taken",
            "[event]")
{
    using ends = brood::detail::event_queue<brood::exit_info>;
    auto queue = std::make_shared<ends>(brood::default_executor());
    brood::exit_info ended;
    ended.last_output = std::string(1 << 20, 'x');
    constexpr std::uint64_t fit = ends::most_text >> 20;
    auto push = [&](std::uint64_t count)
    {
        for (; count != 0; --count, ++ended.id)
            queue->push(ended);
    };
    push(fit + 5);
    for (std::uint64_t taken = 0; taken < 3; ++taken)
    {
        auto next = co_await ends::next(queue);
        CHECK((next && next->id == taken && next->last_output.empty()));
    }
    push(4);
    queue->end();

    std::uint64_t id = 3;
    for (auto next = co_await ends::next(queue); next; next = co_await ends::next(queue), ++id)
    {
        CHECK(next->id == id);
        CHECK(next->last_output.empty() == (id < 9));
    }
    CHECK(id == fit + 9);
}

TEST_WITHIN(5s, "a wait for an event that is cancelled loses none", "[event]")
{
    event_hub hub(brood::default_executor());
    event_stream stream(hub.subscribe());
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    bool cancelled = false;
    auto waiting = stream.next();
    auto done = [&](std::exception_ptr thrown, auto)
    {
        cancelled = thrown != nullptr;
    };
    asio::co_spawn(executor, std::move(waiting), asio::bind_cancellation_slot(stop.slot(), done));
    co_await asio::post(executor, asio::use_awaitable);
    stop.emit(asio::cancellation_type::terminal);
    while (!cancelled)
        co_await asio::post(executor, asio::use_awaitable);
    hub.publish(cluster_event::kind::fork, worker(1));
    auto event = co_await stream.next();

    CHECK(event);
}

TEST_WITHIN(5s, "an event that comes just as the wait for it loses under || is not lost", "[event]")
{
    for (int turns = -1; turns < 4; ++turns)
    {
        event_hub hub(brood::default_executor());
        event_stream stream(hub.subscribe());
        std::function<void()> happen = [&]
        {
            hub.publish(cluster_event::kind::fork, worker(1));
        };
        auto event = co_await brood::test::raced(stream.next(), happen, turns);
        if (!event)
            event = co_await stream.next(); // or it is lost, and this waits for ever
        REQUIRE(event);
        CHECK(event->has_value());
    }
}

TEST_WITHIN(5s, "of two who wait for an event, one that is cancelled leaves it to the other",
            "[event]")
{
    auto executor = co_await asio::this_coro::executor;
    using queue = brood::detail::event_queue<brood::exit_info>;
    auto ends = std::make_shared<queue>(executor);
    asio::cancellation_signal stop;
    int came = 0;
    auto done = [&](std::exception_ptr thrown, const std::optional<brood::exit_info>&)
    {
        came += thrown ? 0 : 1;
    };
    asio::co_spawn(executor, queue::next(ends), asio::bind_cancellation_slot(stop.slot(), done));
    asio::co_spawn(executor, queue::next(ends), done);
    co_await brood::sleep(1ms);

    ends->push({});
    stop.emit(asio::cancellation_type::terminal);
    co_await brood::sleep(10ms);

    CHECK(came == 1);
    ends->end();
    co_await brood::sleep(1ms);
}

TEST_WITHIN(20s, "what happens to a worker is told in one order, from its start to its empty slot",
            "[event]")
{
    brood::cluster_settings settings;
    settings.size = 1;
    brood::cluster<[](brood::process& self) -> task<>
                   {
                       auto listener = co_await self.listen(0);
                       self.give_up("it has seen enough");
                   }>
        workers(settings);
    auto events = workers.events();
    std::vector<cluster_event::kind> told;
    for (;;)
    {
        auto next = co_await events.next();
        if (!next)
            break;
        told.push_back(next->what);
    }

    using kind = cluster_event::kind;
    std::vector<kind> wanted{kind::fork,       kind::online, kind::listening, kind::ready,
                             kind::disconnect, kind::exit,   kind::parked};
    CHECK(told == wanted);
}
