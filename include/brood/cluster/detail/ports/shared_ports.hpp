// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/detail/ports/accept_queue.hpp>
#include <brood/cluster/detail/ports/shared_port.hpp>
#include <brood/cluster/dispatch_policy.hpp>
#include <brood/cluster/stats.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

// The ports of a cluster: the primary owns the sockets until the cluster stops, so that a port
// never refuses while workers come and go.

namespace brood::detail
{

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
    void open(const std::shared_ptr<worker_core>& worker, const listen_request& wanted)
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

    void accepted(const worker_core& by, std::uint64_t number)
    {
        if (auto port = opened_by(by, number))
            port->accepted(by, number);
    }

    void lost(const worker_core& by, std::uint64_t number)
    {
        if (auto port = opened_by(by, number))
            port->lost(by, number);
    }

    void closed(const worker_core& by, std::uint64_t number)
    {
        if (auto port = opened_by(by, number))
            port->remove(by, number);
        opened_.erase(std::tuple(by.id, number));
    }

    /// A worker has ended: what it did not accept is for others.
    void forget(const worker_core& gone)
    {
        auto place = opened_.lower_bound(std::tuple(gone.id, std::uint64_t{0}));
        while (place != opened_.end() && std::get<0>(place->first) == gone.id)
        {
            place->second->remove_dead(gone, std::get<1>(place->first));
            place = opened_.erase(place);
        }
    }

    /// Nobody has this slot any more: of what the kernel gives to a socket of its own, nobody would
    /// take anything. The last socket of a port stays, for whoever comes next.
    void vacate(std::size_t slot)
    {
        if (!policy_.has_socket_for_each_slot())
            return;
        vacant_.insert(slot);
        std::erase_if(ports_,
                      [&](auto& each)
                      {
                          if (std::get<3>(each.first) != slot || is_last(each.first))
                              return false;
                          each.second->close_for_newcomers();
                          return true;
                      });
    }

    /// Where a listener of a worker is.
    std::string address_of(const worker_core& worker, std::uint64_t number) const
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
                result.push_back({address, 0, 0, 0});
            result.back().waiting += queue->waiting;
            result.back().room += queue->room;
            result.back().given_up += port->given_up();
        }
        return result;
    }

    /// The cluster stops, and tells its workers after this, who take no datagrams then either. The
    /// sockets of those stay: an answer may have to go out.
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

    void refuse_forged(const worker_core& worker, const listen_request& wanted) const
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
        wanted.reuse_port = policy_.has_socket_for_each_slot();
        key name(wanted.type, wanted.address, wanted.index, wanted.reuse_port ? slot : 0);
        vacant_.erase(slot);
        auto found = ports_.find(name);
        if (found != ports_.end())
            return found->second;
        if (auto left = take_over(name))
            return left;
        if (auto other = of_another_slot(name))
            wanted.address = other->address().bytes();
        auto port = std::make_shared<shared_port>(executor_, wanted);
        if (wanted.type == SOCK_STREAM && policy_.hands_over())
        {
            port->accept();
            asio::co_spawn(executor_, shared_port::hand_over(port, policy_),
                           [failure = failure_](std::exception_ptr thrown)
                           {
                               if (thrown)
                                   failure->set(thrown);
                           });
        }
        return ports_.emplace(name, std::move(port)).first->second;
    }

    static bool is_same_port(key one, const key& other)
    {
        std::get<3>(one) = std::get<3>(other);
        return one == other;
    }

    bool is_last(const key& name) const
    {
        return std::none_of(ports_.begin(), ports_.end(),
                            [&](auto& each)
                            { return each.first != name && is_same_port(each.first, name); });
    }

    // The socket of a slot that nobody has, when it is the last of its port.
    std::shared_ptr<shared_port> take_over(const key& name)
    {
        auto left = std::find_if(ports_.begin(), ports_.end(),
                                 [&](auto& each) {
                                     return vacant_.contains(std::get<3>(each.first)) &&
                                            is_same_port(each.first, name);
                                 });
        if (left == ports_.end())
            return nullptr;
        auto node = ports_.extract(left);
        node.key() = name;
        return ports_.insert(std::move(node)).position->second;
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

    std::shared_ptr<shared_port> opened_by(const worker_core& worker, std::uint64_t number) const
    {
        auto found = opened_.find(std::tuple(worker.id, number));
        return found == opened_.end() ? nullptr : found->second;
    }

    asio::any_io_executor executor_;
    dispatch_policy policy_;
    std::shared_ptr<shared_result<std::exception_ptr>> failure_;
    std::map<key, std::shared_ptr<shared_port>> ports_;
    std::set<std::size_t> vacant_; // slots that nobody has, with a socket for each
    std::map<std::tuple<std::uint64_t, std::uint64_t>, std::shared_ptr<shared_port>> opened_;
};

} // namespace brood::detail
