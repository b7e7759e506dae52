// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/cluster/exit_info.hpp>
#include <brood/pool/internal/pool_call.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace brood::detail
{

struct pool_worker;

/// Who has a call.
enum class call_stage
{
    outside, ///< Its caller: there was no room.
    waiting, ///< The queue.
    handed,  ///< A worker.
    over,    ///< Its caller has its result, or wants none.
};

using call_times = std::multimap<std::chrono::steady_clock::time_point, std::weak_ptr<pool_call>>;

struct call_record
{
    explicit call_record(const call_options& options)
        : priority(options.priority), affinity(options.affinity.hash())
    {
        if (options.deadline.count() > 0)
            late_at = time_from_now(options.deadline);
    }

    call_stage stage = call_stage::outside;
    int priority;
    std::optional<std::uint64_t> affinity;
    brood::attempts attempts;
    deadline late_at;
    std::uint32_t begun = 0;           ///< How often it was begun.
    bool alone = false;                ///< It may end its worker: no other call is to be beside it.
    std::vector<exit_info> ended;      ///< The workers that ended by it.
    std::weak_ptr<pool_worker> worker; ///< That has it.
    std::uint32_t place = 0;           ///< There.
    std::uint64_t number = 0;          ///< There.
    std::optional<call_times::iterator> alarm;
    std::exception_ptr failure; ///< Why it has no result.
    wait_queue::ticket caller;  ///< With this its caller waits among the others.
};

} // namespace brood::detail
