// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace brood
{

/// A machine, and how many workers it takes.
struct place
{
    std::string host;
    std::size_t slots = 1;
};

struct host_set_aside;

/// Where workers are started.
struct placement_options
{
    enum class order
    {
        spread, ///< Where the smallest part of the slots is taken; among equals the first.
        pack,   ///< On the first that has a slot, so that the others stay free.
    };

    order how = order::spread;

    /// A host on which so many workers failed within this time is set aside for that time: no
    /// worker is started on it, and those that run go on. 0 failures set nobody aside.
    std::size_t failures = 3;
    std::chrono::milliseconds within{60'000};
    std::chrono::milliseconds aside{300'000};

    /// How many starts may be under way on a host at once; 0 for any number.
    std::size_t starts_at_once = 0;

    /// Told by ssh() and slurm() of each host that is set aside, as a turn of their loop finds it
    /// out: for a log, say. May be empty, and must not throw.
    std::function<void(const host_set_aside&)> on_set_aside = nullptr;

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const;
};

/// A host that gets no worker for some time.
struct host_set_aside
{
    std::string host;
    std::size_t failures = 0;             ///< How many workers failed there,
    std::chrono::milliseconds within{};   ///< in this time.
    std::chrono::milliseconds duration{}; ///< For how long no worker is started there.

    friend bool operator==(const host_set_aside&, const host_set_aside&) = default;
};

/// "host n1 is set aside for 300 s: 3 workers failed there within 60 s".
std::string to_string(const host_set_aside& aside);

/// Which worker goes where: asked for a host when a worker is to be started, and told when its
/// start is over and when it has ended. It starts nothing and knows no clock.
class placement
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// How a worker ended.
    enum class end
    {
        expected,     ///< As it was asked to, or as it should.
        failed,       ///< In any other way, once it was online.
        never_online, ///< Before online() was told of it; a failure too.
    };

    /// Throws std::invalid_argument when there is no place at all, or a place without slots.
    explicit placement(std::vector<place> places, placement_options options = {});

    /// Takes a slot, and gives the number of its host in the list; nothing when there is none now.
    ///
    /// `not_at_once` is the host on which the worker died that this one replaces: it is taken only
    /// if no other can be.
    std::optional<std::size_t> next(time_point now,
                                    std::optional<std::size_t> not_at_once = std::nullopt);

    /// The start of a worker on this host is over: another may begin.
    void online(std::size_t host);

    /// A worker of this host has ended, and its slot is free. When that was one failure too many,
    /// the host is set aside: that is said here, once.
    std::optional<host_set_aside> ended(std::size_t host, time_point now, end how);

    /// When next() should be asked again, as a host that is set aside comes back then; nothing when
    /// none is.
    std::optional<time_point> next_return(time_point now) const;

    const std::vector<place>& places() const noexcept { return places_; }

    /// How many slots there are, those of hosts that are set aside too.
    std::size_t slots() const noexcept;

    /// How many slots of a host are taken.
    std::size_t taken(std::size_t host) const { return state_.at(host).taken; }

    bool is_set_aside(std::size_t host, time_point now) const;

private:
    struct host_state
    {
        std::size_t taken = 0, starting = 0;
        std::deque<time_point> failures = {};
        std::optional<time_point> back = std::nullopt;
    };

    bool can_take(std::size_t host, time_point now) const;
    bool is_better(std::size_t one, std::size_t other) const;

    std::vector<place> places_;
    placement_options options_;
    std::vector<host_state> state_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/placement.ipp>
#endif
