// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/shared_result.hpp>
#include <brood/cluster/exit_info.hpp>
#include <brood/cluster/slot_history.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/traffic.hpp>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
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

class output_reader;

/// A forked process whose channel also carries what a worker and its primary say to each other.
class worker_process : public forked_process
{
public:
    worker_process() noexcept = default;

    explicit worker_process(forked_process&& forked) noexcept : forked_process(std::move(forked)) {}

    using channel::link;
};

/// What a cluster knows of one worker, shared by all who hold a `worker`.
struct worker_record
{
    worker_record(asio::any_io_executor executor, std::uint64_t number, std::size_t place)
        : id(number), slot(place), ready(executor), ended(std::move(executor))
    {
    }

    bool has(worker_state at_least) const noexcept { return state >= at_least; }

    std::uint64_t id;
    std::size_t slot;
    worker_process process;
    worker_state state = worker_state::starting;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::optional<std::chrono::steady_clock::time_point> asked_to_end;
    std::optional<exit_cause> cause; // why we end it, once we do
    std::string reason;              // what it said when it gave up
    std::vector<std::string> listening_at;
    descriptor signs;                      // the file of its vital signs, online until its end
    traffic_stats traffic;                 // that it has served, when last looked
    std::shared_ptr<output_reader> output; // of what it prints, when that is wanted
    bool wants_recycling = false;
    std::uint64_t oom_kills = 0; // by the kernel, before it started
    std::shared_ptr<slot_history> history = std::make_shared<slot_history>();
    int stops_under_way = 0;    // ways to its end that it is on
    std::function<void()> stop; // asks it to end, and makes it
    shared_result<bool> ready;  // false when it ended before
    shared_result<exit_info> ended;
};

} // namespace detail

/// A worker of a cluster, as its primary sees it: to talk to it, and to end it. Copies are for the
/// same worker, and may be kept after its end. Follows Node's Worker:
/// https://nodejs.org/api/cluster.html#class-worker
class worker
{
public:
    explicit worker(std::shared_ptr<detail::worker_record> record) : record_(std::move(record)) {}

    /// Its number, from 1, which none before or after it has.
    std::uint64_t id() const noexcept { return record_->id; }

    /// Its place in the cluster, which its successor takes over.
    std::size_t slot() const noexcept { return record_->slot; }

    pid_t pid() const { return record_->process.pid(); }

    worker_state state() const noexcept { return record_->state; }

    bool is_dead() const noexcept { return record_->state == worker_state::ended; }

    bool connected() const noexcept { return record_->process.connected(); }

    /// Where it listens: "127.0.0.1:8080".
    const std::vector<std::string>& listening_at() const noexcept { return record_->listening_at; }

    /// The port of the first that it listens on; 0 before it does, and for a local socket.
    std::uint16_t port() const
    {
        std::uint16_t result = 0;
        if (record_->listening_at.empty())
            return result;
        auto& at = record_->listening_at.front();
        auto colon = at.rfind(':');
        auto end = at.data() + at.size();
        if (colon == std::string::npos || at.find('/') != std::string::npos)
            return result;
        return std::from_chars(at.data() + colon + 1, end, result).ptr == end ? result : 0;
    }

    /// The whole child: its channel, its pipes, its pid.
    forked_process& process() const noexcept { return record_->process; }

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

    /// Sends it a signal; false when it has ended. An end by it is a failure, as by any other.
    bool kill(int signal = SIGTERM) const { return process().kill(signal); }

    /// Sends it nothing more: it reads the end, and has 5 s to finish what it does. Its end is its
    /// own, which the restart policy is asked about.
    void disconnect() const { process().disconnect(); }

    /// Asks it to finish and makes it end, as the settings of the cluster say, and waits for that.
    /// Its successor takes the slot at once; to have fewer workers, see cluster::scale().
    task<exit_info> stop() const
    {
        if (record_->stop)
            record_->stop();
        return wait_exit(record_);
    }

    /// Waits until it can be given work: true; false when it ended before.
    task<bool> ready() const { return wait_ready(record_); }

    /// Waits for its end, and tells how and why.
    task<exit_info> exit() const { return wait_exit(record_); }

    /// How it ended, or nothing while it lives.
    std::optional<exit_info> ended() const { return record_->ended.peek(); }

    friend bool operator==(const worker& left, const worker& right) noexcept
    {
        return left.record_ == right.record_;
    }

private:
    static task<bool> wait_ready(std::shared_ptr<detail::worker_record> record)
    {
        auto result = co_await record->ready.get();
        co_return result;
    }

    static task<exit_info> wait_exit(std::shared_ptr<detail::worker_record> record)
    {
        auto result = co_await record->ended.get();
        co_return result;
    }

    std::shared_ptr<detail::worker_record> record_;
};

} // namespace brood
