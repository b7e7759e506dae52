// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/traffic.hpp>

#include <algorithm>
#include <limits>

namespace brood
{

BROOD_INLINE traffic_stats& traffic_stats::operator+=(const traffic_stats& other) noexcept
{
    auto add = [](std::uint64_t& to, std::uint64_t count)
    {
        auto room = std::numeric_limits<std::uint64_t>::max() - to;
        to += count < room ? count : room;
    };
    add(connections, other.connections);
    add(open_connections, other.open_connections);
    add(requests, other.requests);
    add(open_requests, other.open_requests);
    add(failed_requests, other.failed_requests);
    add(bytes_received, other.bytes_received);
    add(bytes_sent, other.bytes_sent);
    return *this;
}

namespace detail
{

BROOD_INLINE traffic_stats to_traffic_stats(const traffic_numbers& numbers) noexcept
{
    auto at = [&](traffic_cell which)
    {
        return numbers[static_cast<std::size_t>(which)];
    };
    auto open = [&](traffic_cell begun, traffic_cell ended)
    {
        return at(begun) - std::min(at(begun), at(ended));
    };
    traffic_stats result;
    result.connections = at(traffic_cell::opened);
    result.open_connections = open(traffic_cell::opened, traffic_cell::closed);
    result.requests = at(traffic_cell::requests);
    result.open_requests = open(traffic_cell::begun, traffic_cell::requests);
    result.failed_requests = at(traffic_cell::failed);
    result.bytes_received = at(traffic_cell::received);
    result.bytes_sent = at(traffic_cell::sent);
    return result;
}

} // namespace detail

BROOD_INLINE traffic_stats traffic_counters::read() const noexcept
{
    auto& from = *cells_.load(std::memory_order_acquire);
    detail::traffic_numbers numbers;
    for (std::size_t index = 0; index < numbers.size(); ++index)
        numbers[index] = from[index].load(std::memory_order_relaxed);
    return detail::to_traffic_stats(numbers);
}

BROOD_INLINE void traffic_counters::move_to(detail::traffic_cells& to) noexcept
{
    // Another thread that is in add() at this moment may still add to the old cells, which nobody
    // reads any more: these figures are for people, and the loop's own are exact.
    auto& from = *cells_.exchange(&to, std::memory_order_acq_rel);
    for (std::size_t index = 0; &from != &to && index < to.size(); ++index)
        to[index].fetch_add(from[index].exchange(0, std::memory_order_relaxed),
                            std::memory_order_relaxed);
}

} // namespace brood
