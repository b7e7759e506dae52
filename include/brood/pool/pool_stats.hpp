// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/slot_history.hpp>
#include <brood/cluster/stats.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace brood
{

/// The calls of the workers of one slot.
struct slot_calls
{
    std::size_t slot = 0;
    std::size_t running = 0;  ///< With the worker now, those that it has not begun included.
    std::uint64_t done = 0;   ///< That gave a result.
    std::uint64_t failed = 0; ///< That threw, or ended the worker.
};

/// A pool at one moment: made by any_pool::stats().
struct pool_stats
{
    std::size_t waiting = 0;     ///< Calls that wait for a worker.
    std::size_t running = 0;     ///< Calls that are with a worker.
    std::uint64_t done = 0;      ///< That gave a result, from the beginning.
    std::uint64_t failed = 0;    ///< That threw, or were lost with their worker, or with the pool.
    std::uint64_t retried = 0;   ///< Times that a call was begun again because its worker ended.
    std::uint64_t timed_out = 0; ///< That were late.
    std::uint64_t cancelled = 0; ///< Whose callers waited no more.
    duration_histogram times;    ///< How long the function took, of those that ended.
    std::vector<slot_calls> slots;
    cluster_stats workers;
};

/// Two tables for people: calls by slot, and workers as to_string(cluster_stats) has them.
std::string to_string(const pool_stats& stats);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/pool_stats.ipp>
#endif
