// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/listener_core.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/this_coro.hpp>

#include <fcntl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::detail::listener_core;

namespace
{

/// Waits for one connection in the background, and tells what came.
struct accepting
{
    asio::cancellation_signal cancel;
    bool got = false;
    bool cancelled = false;

    void begin(const std::shared_ptr<listener_core>& from)
    {
        asio::co_spawn(from->executor(), listener_core::next(from),
                       asio::bind_cancellation_slot(
                           cancel.slot(),
                           [this](std::exception_ptr thrown, const brood::descriptor& connection)
                           {
                               cancelled = thrown != nullptr;
                               got = !thrown && connection;
                           }));
    }
};

brood::descriptor something()
{
    return brood::descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

} // namespace

TEST_WITHIN(10s, "a connection whose waiter is cancelled as it comes is for the next who waits",
            "[listener_core]")
{
    auto executor = co_await asio::this_coro::executor;
    for (std::size_t cancelled : {0U, 1U})
    {
        INFO("the one that is cancelled: " << cancelled);
        auto core = std::make_shared<listener_core>(executor, brood::detail::socket_address());
        std::array<accepting, 2> waiting;
        for (auto& each : waiting)
            each.begin(core);
        co_await brood::sleep(1ms);

        core->hand_over(something());
        waiting[cancelled].cancel.emit(asio::cancellation_type::terminal);
        co_await brood::sleep(10ms);

        CHECK(waiting[cancelled].cancelled);
        CHECK(waiting[1 - cancelled].got);
        core->close();
        co_await brood::sleep(1ms);
    }
}

TEST_WITHIN(10s, "what was handed over comes in its order, and is closed when nobody may take it",
            "[listener_core]")
{
    auto executor = co_await asio::this_coro::executor;
    auto core = std::make_shared<listener_core>(executor, brood::detail::socket_address());
    int accepted = 0, handed = 0, lost = 0, closed = 0;
    core->tell({[&] { ++accepted; }, [&] { ++handed; }, [&] { ++lost; },
                [&]
                {
                    ++closed;
                }});
    auto first = something();
    auto number = first.get();

    core->hand_over(std::move(first));
    core->hand_over(brood::descriptor()); // lost on the way
    core->hand_over(something());
    auto one = co_await listener_core::next(core);
    CHECK(one.get() == number);
    CHECK(accepted == 1);
    CHECK(lost == 0);
    auto two = co_await listener_core::next(core);
    CHECK(two);
    CHECK(accepted == 2);
    CHECK(handed == 2);
    CHECK(lost == 1);

    core->hand_over(something());
    core->close();
    core->close();
    core->hand_over(something());
    CHECK(closed == 1);
    auto none = co_await listener_core::next(core);
    CHECK_FALSE(none);
    CHECK(handed == 2);
}

TEST_WITHIN(10s, "a listener that closes when it is empty gives what was handed over first",
            "[listener_core]")
{
    auto executor = co_await asio::this_coro::executor;
    auto core = std::make_shared<listener_core>(executor, brood::detail::socket_address());
    bool closed = false;
    core->tell({.closed = [&]
                {
                    closed = true;
                }});
    core->hand_over(something());
    core->close_when_empty();
    CHECK_FALSE(closed);

    auto last = co_await listener_core::next(core);
    CHECK(last);
    auto none = co_await listener_core::next(core);
    CHECK_FALSE(none);
    CHECK(closed);
}

TEST_WITHIN(10s, "a listener goes although nobody can be told, and all who wait learn of it",
            "[listener_core]")
{
    auto executor = co_await asio::this_coro::executor;
    auto refuse = []
    {
        throw brood::error(brood::errc::overflow, "the primary does not read");
    };
    {
        brood::detail::listener_core dropped(executor, {});
        dropped.tell({.closed = refuse});
    }
    auto closed =
        std::make_shared<brood::detail::listener_core>(executor, brood::detail::socket_address());
    closed->tell({.closed = refuse});
    bool ended = false;
    auto next = brood::detail::listener_core::next(closed);
    asio::co_spawn(executor, std::move(next),
                   [&](std::exception_ptr, brood::descriptor) { ended = true; });
    co_await brood::sleep(1ms);
    CHECK_THROWS_AS(closed->close(), brood::error);
    co_await brood::sleep(10ms);
    CHECK(ended);
}

TEST_WITHIN(20s, "a listener that closes when it is empty closes after a second, whoever comes",
            "[listener_core]")
{
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto wanted = brood::detail::to_listen_request(any, {});
    auto core = listener_core::listen(executor, wanted);
    auto port = port_of(to_string(core->address()));
    core->close_when_empty();

    auto begin = brood::test::clock::now();
    for (bool open = true; open && brood::test::clock::now() - begin < 10s;)
    {
        auto client = co_await connect_to(port); // there is always one more
        auto connection = co_await listener_core::next(core);
        open = static_cast<bool>(connection);
        if (open)
            co_await brood::sleep(5ms);
    }
    auto took = brood::test::clock::now() - begin;

    CHECK(took >= 1s);
    CHECK(took < 10s);
}
