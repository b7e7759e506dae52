// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/task.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace brood::test
{

using race_end = std::shared_ptr<detail::shared_result<std::monostate>>;

inline task<> begin_race(std::function<void()> happen, race_end over, int turns)
{
    auto executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < 2; ++turn) // both wait then
        co_await asio::post(executor, asio::use_awaitable);
    if (turns < 0)
        over->set({});
    happen();
    for (int turn = 0; turn < turns; ++turn)
        co_await asio::post(executor, asio::use_awaitable);
    over->set({});
}

/// Lets a wait stand under || with another one, which ends so many turns of the loop after `happen`
/// was called, or with -1 just before. Gives what the wait gave; nothing when it lost.
template <class Result>
task<std::optional<Result>> raced(task<Result> wait, std::function<void()> happen, int turns)
{
    using namespace asio::experimental::awaitable_operators;
    auto executor = co_await asio::this_coro::executor;
    auto over = std::make_shared<detail::shared_result<std::monostate>>(executor);
    asio::co_spawn(executor, begin_race(std::move(happen), over, turns), asio::detached);
    auto race = std::move(wait) || over->get();
    auto winner = co_await std::move(race);
    if (winner.index() == 1)
        co_return std::nullopt;
    co_return std::get<0>(std::move(winner));
}

} // namespace brood::test
