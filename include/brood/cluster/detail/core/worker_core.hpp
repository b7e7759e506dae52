// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/shared_result.hpp>
#include <brood/cluster/detail/core/touch_pace.hpp>
#include <brood/cluster/slot_history.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/silence.hpp>
#include <brood/process/stop_policy.hpp>
#include <brood/process/traffic.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

class notice_socket;
class output_reader;

/// A forked process whose channel also carries what a worker and its primary say to each other.
class worker_process : public forked_process
{
public:
    worker_process() noexcept = default;

    explicit worker_process(forked_process&& forked) noexcept : forked_process(std::move(forked)) {}

    using channel::link;
};

/// When a worker elsewhere was last asked for a sign of life: at what pace, and when it is again.
struct touch
{
    touch_pace pace;
    std::chrono::steady_clock::time_point due = {};
};

/// What a cluster knows of one worker, shared by all who hold a `worker`.
struct worker_core
{
    worker_core(asio::any_io_executor executor, std::uint64_t number, std::size_t place)
        : id(number), slot(place), ready(executor), ended(std::move(executor))
    {
    }

    bool has(worker_state at_least) const noexcept { return state >= at_least; }

    static task<bool> wait_ready(std::shared_ptr<worker_core> self)
    {
        auto result = co_await self->ready.get();
        co_return result;
    }

    static task<exit_info> wait_end(std::shared_ptr<worker_core> self)
    {
        auto result = co_await self->ended.get();
        co_return result;
    }

    std::uint64_t id;
    std::size_t slot;
    worker_process process;
    worker_state state = worker_state::starting;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::optional<std::chrono::steady_clock::time_point> asked_to_end;
    std::optional<exit_cause> cause; // why we end it, once we do
    std::string reason;              // what it said when it gave up
    std::vector<std::string> listening_at;
    descriptor signs;                       // the file of its vital signs, online until its end
    traffic_stats traffic;                  // that it has served, when last looked
    std::shared_ptr<output_reader> output;  // of what it prints, when that is wanted
    std::shared_ptr<notice_socket> notices; // by which it says that it is ready, if it is to
    bool wants_recycling = false;
    bool is_online = false;      // its loop has run
    bool is_elsewhere = false;   // on another machine: only what it says is known of it
    silence not_heard;           // of one elsewhere
    std::set<std::size_t> seeks; // slots of those whom it wants to speak with
    touch touched;               // the last one of such a worker
    bool has_channel = true;     // false once nothing comes from it any more
    std::uint64_t oom_kills = 0; // by the kernel, before it started
    std::shared_ptr<slot_history> history = std::make_shared<slot_history>();
    int stops_under_way = 0;                        // ways to its end that it is on
    std::function<void()> stop;                     // asks it to end, and makes it
    std::function<void(const stop_policy&)> hasten; // makes it end in another way
    shared_result<bool> ready;                      // false when it ended before
    shared_result<exit_info> ended;
};

/// The host of one elsewhere; empty for one of this machine, and for one that never started.
inline std::string host_of(const worker_core& worker)
{
    return worker.process ? worker.process.host() : std::string();
}

/// Does something with a worker, if it and who keeps it are still there.
template <class Keeper, class Action>
auto later(std::weak_ptr<Keeper> by, const std::shared_ptr<worker_core>& worker, Action action)
{
    return [by = std::move(by), weak = std::weak_ptr(worker), action](auto&&... how)
    {
        auto keeper = by.lock();
        auto one = weak.lock();
        if (keeper && one)
            action(*keeper, one, how...);
    };
}

} // namespace brood::detail
