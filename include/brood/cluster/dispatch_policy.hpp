// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/hash.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace brood
{

/// A worker that could be given a connection.
struct dispatch_candidate
{
    std::size_t slot = 0;
    std::size_t waiting = 0; ///< Connections it was handed and has not yet accepted.
    std::uint64_t open = 0;  ///< Connections that its servers have accepted and not yet closed, as
                             ///< they count them: see least_loaded().
};

/// Which worker gets the next connection: one choice, made by a named constructor.
///
/// Except for `shared` and `reuse_port`, the primary accepts and hands the connections over, keeps
/// its own copy of each until the worker has accepted it, and gives those of a worker that died to
/// another. Connections for which nobody has room wait in the backlog.
class dispatch_policy
{
public:
    enum class kind
    {
        shared,
        round_robin,
        least_loaded,
        sticky,
        chosen,
        reuse_port,
    };

    /// Picks one of the candidates, of which there is one at least, by its place in the span. Given
    /// the address of the client without its port, byte for byte.
    using chooser =
        std::function<std::size_t(std::span<const dispatch_candidate>, std::string_view)>;

    /// All workers accept from the one socket of the primary; the kernel decides. The fastest.
    dispatch_policy() noexcept = default;

    static dispatch_policy shared() { return {}; }

    /// One after the other, by slot. A worker holds at most `window` that it has not yet accepted.
    static dispatch_policy round_robin(std::size_t window = 64)
    {
        return {kind::round_robin, window};
    }

    /// The one with the fewest connections, open or not yet accepted; among equals the next in
    /// turn.
    ///
    /// Open are those that the servers of a worker count, as brood::http does: the primary reads
    /// the figure from shared memory when it has a connection to give. Of sockets that a worker
    /// takes by listener::accept() the end cannot be seen, as they are the program's own: a server
    /// of your own counts by traffic_of_this_process(), or only what waits for it is known.
    static dispatch_policy least_loaded(std::size_t window = 64)
    {
        return {kind::least_loaded, window};
    }

    /// The same client address always to the same slot; when slots come or go, as few addresses
    /// change theirs as can be (rendezvous hashing).
    static dispatch_policy sticky(std::size_t window = 64) { return {kind::sticky, window}; }

    /// As a function says. What it throws ends the cluster, whose exit() throws it then; so does a
    /// place that is none.
    static dispatch_policy chosen(chooser choose, std::size_t window = 64)
    {
        dispatch_policy result(kind::chosen, window);
        result.chooser_ = std::move(choose);
        return result;
    }

    /// Each worker has a socket of its own at the port, and the kernel hashes clients over them.
    /// What waits for a worker that dies is reset, unless net.ipv4.tcp_migrate_req is set.
    static dispatch_policy reuse_port() { return {kind::reuse_port, 1}; }

    kind what() const noexcept { return kind_; }

    std::size_t window() const noexcept { return window_; }

    /// Whether the primary accepts, and hands the connections over.
    bool hands_over() const noexcept { return kind_ != kind::shared && kind_ != kind::reuse_port; }

    /// Whether a worker listens at a socket that no other slot has.
    bool has_socket_for_each_slot() const noexcept { return kind_ == kind::reuse_port; }

    /// Whether the choice depends on the address of the client.
    bool asks_for_client() const noexcept { return kind_ == kind::sticky || kind_ == kind::chosen; }

    /// Whether it depends on how many connections the workers have open.
    bool asks_for_load() const noexcept
    {
        return kind_ == kind::least_loaded || kind_ == kind::chosen;
    }

    /// The place of the candidate that gets the next connection. `turn` is what the one before left
    /// behind, 0 at first.
    std::size_t choose(std::span<const dispatch_candidate> from, std::string_view client,
                       std::size_t& turn) const
    {
        auto place = kind_ == kind::chosen   ? chooser_(from, client)
                     : kind_ == kind::sticky ? best_hash(from, client)
                                             : next_in_turn(from, turn);
        if (place >= from.size())
            throw std::out_of_range("brood: dispatch policy: the function chose worker " +
                                    std::to_string(place) + " of " + std::to_string(from.size()));
        turn = from[place].slot + 1;
        return place;
    }

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const
    {
        if (window_ == 0)
            throw std::invalid_argument("brood: dispatch policy: a window of 0 hands over nothing");
        if (kind_ == kind::chosen && !chooser_)
            throw std::invalid_argument("brood: dispatch policy: without a function to choose");
    }

private:
    dispatch_policy(kind what, std::size_t window) : kind_(what), window_(window) {}

    std::size_t next_in_turn(std::span<const dispatch_candidate> from, std::size_t turn) const
    {
        auto rank = [&](const dispatch_candidate& each)
        {
            auto load = kind_ == kind::least_loaded ? load_of(each) : 0;
            return std::tuple(load, each.slot < turn, each.slot);
        };
        auto best =
            std::min_element(from.begin(), from.end(),
                             [&](auto& left, auto& right) { return rank(left) < rank(right); });
        return static_cast<std::size_t>(best - from.begin());
    }

    // A worker can write any figure there.
    static std::uint64_t load_of(const dispatch_candidate& each)
    {
        constexpr auto most = std::numeric_limits<std::uint64_t>::max() / 2;
        return each.waiting + std::min(each.open, most);
    }

    static std::size_t best_hash(std::span<const dispatch_candidate> from, std::string_view client)
    {
        auto best = std::max_element(from.begin(), from.end(),
                                     [&](auto& left, auto& right) {
                                         return hash(client, left.slot) < hash(client, right.slot);
                                     });
        return static_cast<std::size_t>(best - from.begin());
    }

    static std::uint64_t hash(std::string_view client, std::size_t slot)
    {
        return detail::mixed(detail::hash_of(client) + (slot + 1) * detail::mix_step);
    }

    kind kind_ = kind::shared;
    std::size_t window_ = 64;
    chooser chooser_;
};

} // namespace brood
