// SPDX-License-Identifier: BSL-1.0
#include <brood/base/detail/wait_to_take.hpp>

#include <brood/base/loop.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>

using namespace std::chrono_literals;
using brood::detail::wait_queue;

namespace
{

struct taking
{
    asio::cancellation_signal stop;
    bool woken = false;
    bool cancelled = false;

    void begin(wait_queue& in)
    {
        asio::co_spawn(in.executor(), brood::detail::wait_to_take(in),
                       asio::bind_cancellation_slot(stop.slot(),
                                                    [this](std::exception_ptr thrown)
                                                    {
                                                        woken = thrown == nullptr;
                                                        cancelled = thrown != nullptr;
                                                    }));
    }
};

} // namespace

TEST_WITHIN(5s, "one that is cancelled once it was woken takes nothing and wakes the next",
            "[wait_to_take]")
{
    wait_queue queue(brood::default_executor());
    std::array<taking, 3> all;
    for (auto& each : all)
        each.begin(queue);
    co_await brood::sleep(1ms);

    queue.post_one();
    all[0].stop.emit(asio::cancellation_type::terminal);
    co_await brood::sleep(10ms);

    CHECK(all[0].cancelled);
    CHECK(all[1].woken);
    CHECK_FALSE((all[2].woken || all[2].cancelled));
    queue.post_all();
    co_await brood::sleep(1ms);
    CHECK(all[2].woken);
}

TEST_WITHIN(5s, "one that is cancelled before throws, and the queue is as it was", "[wait_to_take]")
{
    wait_queue queue(brood::default_executor());
    std::array<taking, 2> all;
    for (auto& each : all)
        each.begin(queue);
    co_await brood::sleep(1ms);

    all[0].stop.emit(asio::cancellation_type::terminal);
    co_await brood::sleep(1ms);
    CHECK(all[0].cancelled);
    CHECK_FALSE(all[1].woken);

    queue.post_one();
    co_await brood::sleep(1ms);
    CHECK(all[1].woken);
}
