// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/traffic_ledger.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/dispatch_policy.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/listener_core.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fcntl.h>
#include <list>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace brood::detail
{

/// One port: its socket, the workers that take connections from it, and what they were handed.
class shared_port
{
public:
    shared_port(const asio::any_io_executor& executor, const listen_request& wanted)
        : socket_(wanted), source_(std::make_shared<listener_core>(executor, socket_.address())),
          room_(executor)
    {
    }

    shared_port(const shared_port&) = delete;
    shared_port& operator=(const shared_port&) = delete;

    const socket_address& address() const noexcept { return socket_.address(); }

    const descriptor& socket() const noexcept { return socket_.socket(); }

    bool is_closed() const noexcept { return is_closed_; }

    void close()
    {
        is_closed_ = true;
        source_->close();
        socket_.close();
        room_.post_all();
    }

    /// Closes: who is connected is for the worker that still listens, and nobody else comes to it.
    void close_for_newcomers()
    {
        socket_.ignore_newcomers();
        close();
    }

    /// Closes, and cuts nobody off: who is connected is for the workers, which are told to stop
    /// after this, and nobody is connected any more who would wait for them in vain.
    void finish(const dispatch_policy& policy)
    {
        socket_.ignore_newcomers();
        is_finishing_ = true;
        while (!with_room(policy).empty())
        {
            auto connection = source_->take();
            if (!connection)
                break;
            hand(policy, std::move(connection));
        }
        close();
    }

    /// A worker takes connections from here on, under this number of its own.
    void add(std::shared_ptr<worker_core> by, std::uint64_t number)
    {
        takers_.push_back({std::move(by), number, {}});
        room_.post_all();
    }

    /// A worker has accepted the oldest connection that it was handed.
    void accepted(const worker_core& by, std::uint64_t number)
    {
        for (auto& each : takers_)
            if (each.is(by, number) && !each.copies.empty())
            {
                if (!deaths_.empty())
                    deaths_.erase(name_of(each.copies.front()));
                each.copies.pop_front();
            }
        room_.post_all();
    }

    /// A worker had no descriptor left for the oldest: it is handed over once more.
    void lost(const worker_core& by, std::uint64_t number)
    {
        for (auto& each : takers_)
            if (each.is(by, number) && !each.copies.empty())
            {
                hand_back(std::move(each.copies.front()));
                each.copies.pop_front();
            }
        room_.post_all();
    }

    /// A worker takes no more: what it has not accepted is for another.
    void remove(const worker_core& gone, std::uint64_t number)
    {
        for (auto& each : takers_)
            if (each.is(gone, number))
                for (auto& connection : std::exchange(each.copies, {}))
                    hand_back(std::move(connection));
        std::erase_if(takers_, [&](auto& each) { return each.is(gone, number); });
    }

    /// The same for one that has died. Perhaps it died of the connection that it had just taken:
    /// one of which a second worker dies is closed.
    void remove_dead(const worker_core& gone, std::uint64_t number)
    {
        for (auto& each : takers_)
            if (each.is(gone, number) && !each.copies.empty() && each.copies.front() &&
                ++deaths_[name_of(each.copies.front())] == deaths_borne)
            {
                deaths_.erase(name_of(each.copies.front()));
                each.copies.pop_front();
                ++given_up_;
            }
        remove(gone, number);
    }

    /// How many connections were closed because workers died of them.
    std::size_t given_up() const noexcept { return given_up_; }

    /// Begins to accept, for hand_over(). Throws std::system_error.
    void accept() { source_->accept_from(socket().duplicate()); }

    /// Hands over to whom the policy chooses, until the port is closed.
    static task<> hand_over(std::shared_ptr<shared_port> self, dispatch_policy policy)
    {
        auto source = self->source_;
        for (;;)
        {
            while (self->with_room(policy).empty() && !self->is_closed_)
                co_await self->room_.wait();
            auto connection = co_await listener_core::next(source);
            if (!connection)
                co_return;
            self->hand(policy, std::move(connection));
        }
    }

private:
    static constexpr int deaths_borne = 2;

    // Of the connection, in all processes that have it.
    static ino_t name_of(const descriptor& connection)
    {
        struct stat socket = {};
        return ::fstat(connection.get(), &socket) == 0 ? socket.st_ino : 0;
    }

    struct taker
    {
        std::shared_ptr<worker_core> worker;
        std::uint64_t number;
        std::deque<descriptor> copies; // of what it was handed and has not accepted

        bool is(const worker_core& other, std::uint64_t listener) const noexcept
        {
            return worker.get() == &other && number == listener;
        }
    };

    std::vector<taker*> with_room(const dispatch_policy& policy)
    {
        std::vector<taker*> result;
        for (auto& each : takers_)
            if (!each.worker->has(worker_state::draining) &&
                (is_finishing_ || each.copies.size() < policy.window()))
                result.push_back(&each);
        return result;
    }

    void hand(const dispatch_policy& policy, descriptor connection)
    {
        auto takers = with_room(policy);
        if (takers.empty())
            return source_->hand_over(std::move(connection)); // the only one has just gone
        std::vector<dispatch_candidate> candidates;
        for (auto each : takers)
            candidates.push_back({each->worker->slot, each->copies.size(),
                                  policy.asks_for_load() ? open_connections(*each->worker) : 0});
        auto client = policy.asks_for_client() ? client_of(connection) : std::string();
        auto& chosen = *takers[policy.choose(candidates, client, turn_)];
        // Without a descriptor left it goes without a copy: none is for another worker then.
        descriptor copy(::fcntl(connection.get(), F_DUPFD_CLOEXEC, 3));
        send_control(*chosen.worker->process.link(), handed_connection{chosen.number},
                     std::move(connection));
        ++chosen.worker->history->dispatched;
        chosen.copies.push_back(std::move(copy));
    }

    void hand_back(descriptor copy)
    {
        if (copy)
            source_->hand_over(std::move(copy));
    }

    static std::uint64_t open_connections(worker_core& worker)
    {
        traffic_ledger::look_at(worker);
        return worker.traffic.open_connections;
    }

    // Its address without the port, which is another for each connection.
    static std::string client_of(const descriptor& connection)
    {
        sockaddr_storage storage = {};
        socklen_t size = sizeof storage;
        auto address = reinterpret_cast<sockaddr*>(&storage);
        if (::getpeername(connection.get(), address, &size) != 0)
            return {};
        auto at = reinterpret_cast<const char*>(&storage);
        if (storage.ss_family == AF_INET)
            return {at + offsetof(sockaddr_in, sin_addr), sizeof(in_addr)};
        if (storage.ss_family == AF_INET6)
            return {at + offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr)};
        return {};
    }

    listening_socket socket_;
    std::shared_ptr<listener_core> source_;
    std::list<taker> takers_;
    std::map<ino_t, int> deaths_; // of workers that had just taken a connection
    std::size_t given_up_ = 0;
    std::size_t turn_ = 0;
    bool is_closed_ = false;
    bool is_finishing_ = false; // nobody else will take what waits: there is room for all of it
    wait_queue room_;           // somebody may have room for one more
};

} // namespace brood::detail
