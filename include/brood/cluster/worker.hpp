// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/cluster/exit_info.hpp>
#include <brood/process/fork.hpp>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood
{

/// How far the life of a worker has come.
enum class worker_state
{
    starting, ///< Its process runs.
    online,   ///< Its loop runs.
    ready,    ///< It can be given work.
    draining, ///< It was asked to finish.
    ended,
};

namespace detail
{

struct worker_core;

} // namespace detail

/// A worker of a cluster, as its primary sees it: to talk to it, and to end it. Copies are for the
/// same worker, and may be kept after its end. Follows Node's Worker:
/// https://nodejs.org/api/cluster.html#class-worker
class worker
{
public:
    explicit worker(std::shared_ptr<detail::worker_core> record) noexcept
        : record_(std::move(record))
    {
    }

    /// Its number, from 1, which none before or after it has.
    std::uint64_t id() const noexcept;

    /// Its place in the cluster, which its successor takes over.
    std::size_t slot() const noexcept;

    pid_t pid() const;

    /// The host that it runs on, as its launcher calls it; empty for one of this machine, and until
    /// it is known.
    std::string host() const;

    worker_state state() const noexcept;

    bool is_dead() const noexcept { return state() == worker_state::ended; }

    bool connected() const noexcept;

    /// Where it listens: "127.0.0.1:8080"; of one elsewhere, an address of its host().
    const std::vector<std::string>& listening_at() const noexcept;

    /// The port of the first that it listens on; 0 before it does, and for a local socket.
    std::uint16_t port() const;

    /// The whole child: its channel, its pipes, its pid.
    forked_process& process() const noexcept;

    /// As channel::send().
    template <class Message, class... Objects>
    bool send(const Message& value, Objects&&... beside) const
    {
        return process().send(value, std::forward<Objects>(beside)...);
    }

    /// As channel::message().
    template <class... Messages, class... Limit>
    auto message(Limit... limit) const
    {
        return process().template message<Messages...>(limit...);
    }

    /// As channel::call().
    template <class Reply, class Request, class... Limit>
    task<Reply> call(Request&& request, Limit... limit) const
    {
        return process().template call<Reply>(std::forward<Request>(request), limit...);
    }

    /// As channel::undelivered(): the descriptors that were sent to it and that it never took; also
    /// after its end, when exit_info::status says how many there are. They are the caller's again.
    /// Connections that the cluster handed over are not among them: another worker gets those.
    std::vector<descriptor> undelivered() const;

    /// Sends it a signal; false when it has ended. An end by it is a failure, as by any other.
    bool kill(int signal = SIGTERM) const;

    /// Sends it nothing more: it reads the end, and has 5 s to finish what it does. Its end is its
    /// own, which the restart policy is asked about.
    void disconnect() const;

    /// Asks it to finish and makes it end, as the settings of the cluster say, and waits for that.
    /// Its successor takes the slot at once, unless it is restart::temporary; to have one worker
    /// less, see cluster::retire().
    task<exit_info> stop() const;

    /// The same in another way, also for one that is being asked already: a more urgent request
    /// shortens a stop that is under way.
    task<exit_info> stop(const stop_policy& how) const;

    /// Waits until it can be given work: true; false when it ended before.
    task<bool> ready() const;

    /// Waits for its end, and tells how and why.
    task<exit_info> exit() const;

    /// How it ended, or nothing while it lives.
    std::optional<exit_info> ended() const;

    friend bool operator==(const worker& left, const worker& right) noexcept
    {
        return left.record_ == right.record_;
    }

private:
    std::shared_ptr<detail::worker_core> record_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/worker.ipp>
#endif
