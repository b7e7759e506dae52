// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/listener_core.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::task;

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
