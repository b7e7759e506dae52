// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/brood.hpp>
#include <brood/process/detail/process_core.hpp>
#include <brood/remote/detail/journey.hpp>
#include <brood/remote/detail/token_file.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>

namespace bench
{

/// As many descriptors as this process may have at all: each worker takes one on either side.
inline void raise_descriptor_limit()
{
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    now.rlim_cur = now.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &now);
}

/// Goes to a primary as a worker that comes by itself does, but stays no more than a connection of
/// a process that plays many workers.
class simulated_journey : private brood::detail::journey
{
public:
    /// Goes there again until there is a place for it.
    brood::detail::inheritance go(const std::string& endpoint, const brood::detail::secret& token)
    {
        brood::detail::bootstrap told;
        told.endpoints.push_back(endpoint);
        until_ = clock::now() + std::chrono::seconds(60);
        for (;;)
        {
            auto socket = connect(told);
            try
            {
                return enter(std::move(socket), token);
            }
            catch (const brood::error& why)
            {
                if (why.code() != brood::errc::overflow)
                    throw;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }

private:
    brood::detail::inheritance enter(brood::descriptor socket, const brood::detail::secret& token)
    {
        auto welcome = introduce(socket, token);
        brood::check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "enter");
        brood::detail::inheritance result;
        result.channel = std::move(socket);
        result.entry = welcome.at(0);
        result.worker = welcome.at(1);
        result.primary = welcome.at(2);
        return result;
    }
};

/// A worker, with a channel of its own, among others in one process.
inline brood::task<> simulate(brood::detail::inheritance inherited)
{
    auto executor = co_await asio::this_coro::executor;
    auto start = brood::detail::find_entry(inherited.entry).start;
    auto self = brood::detail::process_core::make(executor, std::move(inherited), {});
    co_await start(self);
    brood::detail::process_core::of(self)->disconnect_if_any();
}

/// Plays so many workers of the primary there, until they have ended.
inline brood::task<> simulate_workers(std::string endpoint, std::string token_file, long count)
{
    raise_descriptor_limit();
    auto token = brood::detail::read_token(token_file);
    brood::task_group group;
    for (long each = 0; each < count; ++each)
        group.start(simulate(simulated_journey().go(endpoint, token)));
    co_await group.join();
}

} // namespace bench
