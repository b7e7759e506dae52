// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>

#include "support/catch.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace brood::test
{

/// Clients that ask a server again and again, and what they have seen so far.
struct load
{
    std::uint16_t port = 0;
    bool stop = false;
    std::size_t asked = 0; ///< The last number that a request had; no two have the same.
    std::size_t answered = 0;
    std::size_t running = 0;
    std::vector<std::string> failures = {};
};

/// Runs one client to its end; what it throws is a failure.
template <class Load, class Client>
task<> run_client(Load& of, Client client, bool keep)
{
    try
    {
        co_await client(of, keep);
    }
    catch (const std::exception& failed)
    {
        of.failures.push_back(failed.what());
    }
    --of.running;
}

/// Starts clients, `task<>(load&, bool keep)`, that go on until `stop`; every other one is to keep
/// its connection. `of` outlives them: see end().
template <class Load, class Client>
void begin(Load& of, Client client, int count)
{
    of.running += static_cast<std::size_t>(count);
    for (int number = 0; number < count; ++number)
        asio::co_spawn(default_executor(), run_client(of, client, number % 2 == 0), asio::detached);
}

/// Tells the clients to stop, and waits until they have.
template <class Load>
task<> end(Load& of)
{
    of.stop = true;
    while (of.running != 0)
        co_await sleep(std::chrono::milliseconds(1));
}

/// Replaces all workers of a cluster as often, with so many answers in between; a client that fails
/// ends it early.
template <class Load, class Cluster>
task<> reload_under(Load& of, Cluster& workers, int times, std::size_t answers)
{
    for (int count = 0; count < times && of.failures.empty(); ++count)
    {
        auto before = of.answered;
        auto report = co_await workers.reload();
        CHECK(report.complete());
        CHECK(report.replaced == workers.size());
        while (of.answered < before + answers && of.failures.empty())
            co_await sleep(std::chrono::milliseconds(1));
    }
}

} // namespace brood::test
