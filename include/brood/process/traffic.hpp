// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace brood
{

/// What servers have done, as figures of one moment.
struct traffic_stats
{
    std::uint64_t connections = 0;      ///< That were accepted, from the beginning.
    std::uint64_t open_connections = 0; ///< Of those, now.
    std::uint64_t requests = 0;         ///< That were answered.
    std::uint64_t open_requests = 0;    ///< That have begun and are not answered, now.
    std::uint64_t failed_requests = 0;  ///< Of the answered, by a fault of the server: 5xx.
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;

    /// Whether anything was ever counted.
    bool any() const noexcept { return *this != traffic_stats(); }

    /// Adds the figures of another; what is too much for a number stays at the largest.
    traffic_stats& operator+=(const traffic_stats& other) noexcept;

    friend bool operator==(const traffic_stats&, const traffic_stats&) noexcept = default;
};

namespace detail
{

/// The numbers that are counted, each of which only grows.
enum class traffic_cell : std::size_t
{
    opened,
    closed,
    begun,
    requests,
    failed,
    received,
    sent,
};

inline constexpr std::size_t traffic_cell_count = 7;

using traffic_numbers = std::array<std::uint64_t, traffic_cell_count>;

traffic_stats to_traffic_stats(const traffic_numbers& numbers) noexcept;

using traffic_cells = std::array<std::atomic<std::uint64_t>, traffic_cell_count>;

static_assert(sizeof(traffic_cells) == sizeof(traffic_numbers));

} // namespace detail

/// What a server of this process has done: it counts here, and process::traffic() reads it; in a
/// worker, cluster::stats() of the primary as well.
///
/// Any thread may count. Each call is one relaxed atomic addition to memory, without a lock, an
/// allocation or a system call; in a worker that memory is shared with its primary.
class traffic_counters
{
public:
    constexpr traffic_counters() noexcept = default;
    traffic_counters(const traffic_counters&) = delete;
    traffic_counters& operator=(const traffic_counters&) = delete;

    /// A connection was accepted, or taken over.
    void count_connection() noexcept { add(detail::traffic_cell::opened, 1); }

    /// It was closed, or handed on.
    void count_closed_connection() noexcept { add(detail::traffic_cell::closed, 1); }

    /// A request has begun; count_request() follows when it is answered.
    void count_begun_request() noexcept { add(detail::traffic_cell::begun, 1); }

    /// A request was answered. A server that does not say when they begin has none open.
    void count_request() noexcept { add(detail::traffic_cell::requests, 1); }

    /// A request that was counted failed by a fault of the server.
    void count_failed_request() noexcept { add(detail::traffic_cell::failed, 1); }

    void count_received(std::uint64_t bytes) noexcept
    {
        add(detail::traffic_cell::received, bytes);
    }

    void count_sent(std::uint64_t bytes) noexcept { add(detail::traffic_cell::sent, bytes); }

    /// The figures until now. Those of one moment may be apart by what is being counted.
    traffic_stats read() const noexcept;

    /// For the link to a primary: counts there from here on, what was counted already included. The
    /// memory must stay for as long as this does.
    void move_to(detail::traffic_cells& to) noexcept;

private:
    void add(detail::traffic_cell which, std::uint64_t count) noexcept
    {
        auto& cells = *cells_.load(std::memory_order_acquire);
        cells[static_cast<std::size_t>(which)].fetch_add(count, std::memory_order_relaxed);
    }

    detail::traffic_cells own_ = {};
    std::atomic<detail::traffic_cells*> cells_ = &own_; // those of a worker are in shared memory
};

namespace detail
{

inline constinit traffic_counters counted_here;

} // namespace detail

/// Where the servers of this process count. The reference is good from before main() until after
/// it.
inline traffic_counters& traffic_of_this_process() noexcept
{
    return detail::counted_here;
}

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/traffic.ipp>
#endif
