// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/arrival.hpp>

#include <brood/process/detail/primary_link.hpp>
#include <brood/process/exec.hpp>
#include <brood/process/internal/silence.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <memory>
#include <utility>
#include <variant>

using namespace std::chrono_literals;
using brood::detail::alive_notice;
using brood::detail::drain_request;
using brood::detail::keep_in_touch_request;
using brood::detail::next_control;
using brood::detail::online_notice;
using brood::detail::primary_link;
using brood::detail::reach;
using brood::detail::send_control;
using brood::detail::silence;
using brood::detail::worker_identity;
using Catch::Matchers::ContainsSubstring;

TEST_WITHIN(20s, "A program that does not know how to go to its primary says what it needs",
            "[arrival]")
{
    brood::exec_options options;
    options.env(brood::environment().set(brood::detail::elsewhere_variable, "stdin"));
    auto ended = co_await brood::exec_file("/proc/self/exe", {}, options);
    CHECK(ended.status.code == 1);
    CHECK_THAT(ended.err, ContainsSubstring("include <brood/remote.hpp>"));
    CHECK(ended.out.empty());
}

namespace
{

/// Both ends of the channel of a worker that is said to be on another machine, and has been asked
/// to end, as it would take this process with it otherwise.
struct far_pair
{
    explicit far_pair(const asio::any_io_executor& executor)
    {
        auto [here, there] = brood::detail::local_pair();
        primary = link_of(executor, std::move(here));
        worker = link_of(executor, std::move(there));
        auto asked = std::make_shared<brood::detail::stop_request>(executor);
        std::make_shared<primary_link>(worker, worker_identity{7, 2}, asked)->begin();
        send_control(*primary, drain_request{});
    }

    static std::shared_ptr<brood::detail::link> link_of(const asio::any_io_executor& executor,
                                                        brood::descriptor socket)
    {
        auto made = std::make_shared<brood::detail::link>(
            executor, std::move(socket), "the other", brood::channel_limits(), reach::elsewhere);
        made->open();
        return made;
    }

    std::shared_ptr<brood::detail::link> primary, worker;
};

} // namespace

TEST_WITHIN(20s, "A worker elsewhere answers each time that it is asked, and waits as it was told",
            "[arrival]")
{
    far_pair both(co_await asio::this_coro::executor);
    send_control(*both.primary, keep_in_touch_request{100});
    send_control(*both.primary, keep_in_touch_request{3'600'000});
    int answers = 0;
    while (answers < 2)
    {
        auto said = co_await next_control<online_notice, alive_notice>(both.primary);
        REQUIRE(said);
        answers += std::holds_alternative<alive_notice>(*said);
    }
    co_await brood::sleep(250ms); // more than the time it was told first
    CHECK_FALSE(both.worker->ended());
}

TEST_WITHIN(20s, "A worker elsewhere that hears nothing for as long as it was told leaves",
            "[arrival]")
{
    far_pair both(co_await asio::this_coro::executor);
    send_control(*both.primary, keep_in_touch_request{50});
    co_await brood::detail::link::disconnected(both.worker);
    CHECK_THROWS_WITH(both.worker->rethrow_failure(), ContainsSubstring("nothing came from it"));
}

TEST_CASE("Silence is counted by turns, and ends with any byte", "[arrival]")
{
    silence of;
    CHECK(of.turn(100ms, 0) == 100ms);
    CHECK(of.turn(100ms, 0) == 200ms);
    CHECK(of.turn(100ms, 7) == 0ms);
    CHECK(of.turn(50ms, 7) == 50ms);
    of.forgive();
    CHECK(of.turn(50ms, 7) == 50ms);
}
