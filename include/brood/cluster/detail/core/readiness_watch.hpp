// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/asio_net.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/readiness.hpp>
#include <brood/cluster/settings.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>

namespace brood::detail
{

/// A program that uses brood opens its channel as the first thing in brood::run().
inline constexpr std::chrono::seconds until_channel_is_open(1);

/// What is ready: a function knows of brood.
inline readiness criterion_of(const cluster_settings& settings)
{
    auto says_so =
        settings.program.empty() && settings.ready_when.what() == readiness::kind::automatic;
    return says_so ? readiness::said() : settings.ready_when;
}

/// Whether a worker has given no sign that it knows of brood.
inline bool knows_nothing(const worker_core& worker, const readiness& how)
{
    return how.what() == readiness::kind::automatic && !worker.is_online;
}

inline task<bool> accepts(asio::any_io_executor executor, readiness how)
{
    std::error_code failed;
    auto address = asio::ip::make_address(how.text(), failed);
    if (failed)
        co_return false;
    asio::ip::tcp::endpoint at(address, how.port());
    asio::ip::tcp::socket probe(executor);
    try
    {
        co_await probe.async_connect(at, asio::use_awaitable);
        co_return true;
    }
    catch (const std::system_error&)
    {
        co_return false;
    }
}

/// Waits until a worker that says nothing itself can be given work: true; false when it has ended,
/// or says it itself.
inline task<bool> watch_readiness(std::shared_ptr<worker_core> worker, readiness how)
{
    using kind = readiness::kind;
    if (how.what() == kind::running)
        co_return true;
    if (how.what() == kind::after || how.what() == kind::automatic)
    {
        auto time = how.what() == kind::after ? how.time() : until_channel_is_open;
        auto ended = co_await worker->ended.get_until(time_from_now(time));
        co_return !ended && (how.what() == kind::after || knows_nothing(*worker, how));
    }
    while (how.what() == kind::accepting && !worker->ended.ready())
    {
        auto accepted = co_await accepts(worker->ended.executor(), how);
        if (accepted)
            co_return !worker->ended.ready();
        co_await sleep(std::chrono::milliseconds(100));
    }
    co_return false;
}

} // namespace brood::detail
