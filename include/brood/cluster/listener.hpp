// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/accept_queue.hpp>
#include <brood/cluster/detail/traffic_ledger.hpp>
#include <brood/cluster/dispatch_policy.hpp>
#include <brood/cluster/stats.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/listener.hpp>
#include <brood/process/worker_protocol.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

// The ports of a cluster: the primary owns the sockets until the cluster stops, so that a port
// never refuses while workers come and go.

namespace brood::detail
{

/// One port: its socket, the workers that take connections from it, and what they were handed.
class shared_port
{
public:
    shared_port(const asio::any_io_executor& executor, const listen_request& wanted)
        : socket_(wanted), source_(std::make_shared<accepting>(executor, socket_.address())),
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
    void add(std::shared_ptr<worker_record> by, std::uint64_t number)
    {
        takers_.push_back({std::move(by), number, {}});
        room_.post_all();
    }

    /// A worker has accepted the oldest connection that it was handed.
    void accepted(const worker_record& by, std::uint64_t number)
    {
        for (auto& each : takers_)
            if (each.is(by, number) && !each.copies.empty())
                each.copies.pop_front();
        room_.post_all();
    }

    /// A worker takes no more: what it has not accepted is for another.
    void remove(const worker_record& gone, std::uint64_t number)
    {
        for (auto& each : takers_)
            if (each.is(gone, number))
                for (auto& connection : std::exchange(each.copies, {}))
                    source_->hand_over(std::move(connection));
        std::erase_if(takers_, [&](auto& each) { return each.is(gone, number); });
    }

    /// Accepts, and hands over to whom the policy chooses, until the port is closed.
    static task<> hand_over(std::shared_ptr<shared_port> self, dispatch_policy policy)
    {
        if (self->is_closed_)
            co_return;
        self->source_->accept_from(self->socket().duplicate());
        auto source = self->source_;
        for (;;)
        {
            while (self->with_room(policy).empty() && !self->is_closed_)
                co_await self->room_.wait();
            auto connection = co_await accepting::next(source);
            if (!connection)
                co_return;
            self->hand(policy, std::move(connection));
        }
    }

private:
    struct taker
    {
        std::shared_ptr<worker_record> worker;
        std::uint64_t number;
        std::deque<descriptor> copies; // of what it was handed and has not accepted

        bool is(const worker_record& other, std::uint64_t listener) const noexcept
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
        send_control(*chosen.worker->process.link(), handed_connection{chosen.number},
                     connection.duplicate());
        ++chosen.worker->history->dispatched;
        chosen.copies.push_back(std::move(connection));
    }

    static std::uint64_t open_connections(worker_record& worker)
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
    std::shared_ptr<accepting> source_;
    std::list<taker> takers_;
    std::size_t turn_ = 0;
    bool is_closed_ = false;
    bool is_finishing_ = false; // nobody else will take what waits: there is room for all of it
    wait_queue room_;           // somebody may have room for one more
};

/// All ports of a cluster.
class shared_ports
{
public:
    shared_ports(asio::any_io_executor executor, dispatch_policy policy)
        : executor_(std::move(executor)), policy_(std::move(policy)),
          failure_(std::make_shared<shared_result<std::exception_ptr>>(executor_))
    {
    }

    /// Waits for what a function of the user threw when it was to choose a worker; null when the
    /// ports are closed before.
    task<std::exception_ptr> failure() const { return wait_failure(failure_); }

    /// Answers what a worker asks for: opens the port when nobody has yet, and lets it share.
    /// Throws errc::malformed for what no worker asks for.
    void open(const std::shared_ptr<worker_record>& worker, const listen_request& wanted)
    {
        refuse_forged(*worker, wanted);
        listen_reply reply;
        reply.number = wanted.number;
        std::vector<descriptor> beside;
        try
        {
            auto port = find(wanted, worker->slot);
            reply.address = port->address().bytes();
            if (wanted.type == SOCK_STREAM && policy_.hands_over())
                port->add(worker, wanted.number);
            else if (!port->is_closed()) // else this worker is told to stop
                beside.push_back(port->socket().duplicate());
            opened_[std::tuple(worker->id, wanted.number)] = port;
        }
        catch (const std::system_error& refused)
        {
            reply.error_number = refused.code().value();
        }
        send_control(*worker->process.link(), reply, std::move(beside));
    }

    void accepted(const worker_record& by, std::uint64_t number)
    {
        if (auto port = opened_by(by, number))
            port->accepted(by, number);
    }

    void closed(const worker_record& by, std::uint64_t number)
    {
        if (auto port = opened_by(by, number))
            port->remove(by, number);
        opened_.erase(std::tuple(by.id, number));
    }

    /// A worker has ended: what it did not accept is for others.
    void forget(const worker_record& gone)
    {
        auto place = opened_.lower_bound(std::tuple(gone.id, std::uint64_t{0}));
        while (place != opened_.end() && std::get<0>(place->first) == gone.id)
        {
            place->second->remove(gone, std::get<1>(place->first));
            place = opened_.erase(place);
        }
    }

    /// Where a listener of a worker is.
    std::string address_of(const worker_record& worker, std::uint64_t number) const
    {
        auto port = opened_by(worker, number);
        return port ? to_string(port->address()) : std::string();
    }

    /// How many wait at each TCP port. With a socket for each slot, their sum.
    std::vector<port_stats> figures() const
    {
        std::vector<port_stats> result;
        for (auto& [name, port] : ports_)
        {
            auto queue = accept_queue_of(port->socket());
            if (!queue)
                continue;
            auto address = to_string(port->address());
            if (result.empty() || result.back().address != address)
                result.push_back({address, 0, 0});
            result.back().waiting += queue->waiting;
            result.back().room += queue->room;
        }
        return result;
    }

    /// The cluster stops, and tells its workers after this. Datagrams go on until it has ended.
    void finish()
    {
        try
        {
            for (auto& [name, port] : ports_)
                if (std::get<0>(name) == SOCK_STREAM && !port->is_closed())
                    port->finish(policy_);
        }
        catch (...)
        {
            failure_->set(std::current_exception());
        }
    }

    /// The cluster has ended: the ports are closed.
    void close()
    {
        opened_.clear();
        for (auto& [name, port] : std::exchange(ports_, {}))
            port->close();
        failure_->set(nullptr);
    }

private:
    static task<std::exception_ptr>
    wait_failure(std::shared_ptr<shared_result<std::exception_ptr>> of)
    {
        auto thrown = co_await of->get();
        co_return thrown;
    }

    void refuse_forged(const worker_record& worker, const listen_request& wanted) const
    {
        constexpr std::ptrdiff_t enough = 4'096; // ports of one worker
        auto first = opened_.lower_bound(std::tuple(worker.id, std::uint64_t{0}));
        auto last = opened_.lower_bound(std::tuple(worker.id + 1, std::uint64_t{0}));
        if (opened_by(worker, wanted.number))
            throw error(errc::malformed, "the number of a listener that it has already");
        if (std::distance(first, last) >= enough)
            throw error(errc::malformed, "more listeners than a worker may have");
    }

    // Type, address, index; and the slot when each has a socket of its own.
    using key = std::tuple<std::int32_t, std::string, std::uint32_t, std::size_t>;

    std::shared_ptr<shared_port> find(listen_request wanted, std::size_t slot)
    {
        wanted.reuse_port = policy_.what() == dispatch_policy::kind::reuse_port;
        key name(wanted.type, wanted.address, wanted.index, wanted.reuse_port ? slot : 0);
        auto found = ports_.find(name);
        if (found != ports_.end())
            return found->second;
        if (auto other = of_another_slot(name))
            wanted.address = other->address().bytes();
        auto port = std::make_shared<shared_port>(executor_, wanted);
        if (wanted.type == SOCK_STREAM && policy_.hands_over())
            asio::co_spawn(executor_, shared_port::hand_over(port, policy_),
                           [failure = failure_](std::exception_ptr thrown)
                           {
                               if (thrown)
                                   failure->set(thrown);
                           });
        return ports_.emplace(name, std::move(port)).first->second;
    }

    // All slots get the port that the first was given.
    std::shared_ptr<shared_port> of_another_slot(key name) const
    {
        std::get<3>(name) = 0;
        auto first = ports_.lower_bound(name);
        if (first == ports_.end())
            return nullptr;
        std::get<3>(name) = std::get<3>(first->first);
        return first->first == name ? first->second : nullptr;
    }

    std::shared_ptr<shared_port> opened_by(const worker_record& worker, std::uint64_t number) const
    {
        auto found = opened_.find(std::tuple(worker.id, number));
        return found == opened_.end() ? nullptr : found->second;
    }

    asio::any_io_executor executor_;
    dispatch_policy policy_;
    std::shared_ptr<shared_result<std::exception_ptr>> failure_;
    std::map<key, std::shared_ptr<shared_port>> ports_;
    std::map<std::tuple<std::uint64_t, std::uint64_t>, std::shared_ptr<shared_port>> opened_;
};

} // namespace brood::detail
