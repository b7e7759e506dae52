// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/placement.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace brood
{
namespace detail
{

/// "300 s", "250 ms".
inline std::string in_seconds(std::chrono::milliseconds time)
{
    return time.count() % 1'000 == 0 ? std::to_string(time.count() / 1'000) + " s"
                                     : std::to_string(time.count()) + " ms";
}

} // namespace detail

BROOD_INLINE void placement_options::check() const
{
    if (within.count() <= 0 || aside.count() <= 0)
        throw std::invalid_argument("brood: placement: within and aside are above zero; 0 failures "
                                    "set no host aside");
}

BROOD_INLINE std::string to_string(const host_set_aside& aside)
{
    return "host " + aside.host + " is set aside for " + detail::in_seconds(aside.duration) + ": " +
           std::to_string(aside.failures) + (aside.failures == 1 ? " worker" : " workers") +
           " failed there within " + detail::in_seconds(aside.within);
}

BROOD_INLINE placement::placement(std::vector<place> places, placement_options options)
    : places_(std::move(places)), options_(options), state_(places_.size())
{
    options_.check();
    if (places_.empty())
        throw std::invalid_argument("brood: placement: there is no host to start workers on");
    for (auto& each : places_)
        if (each.slots == 0)
            throw std::invalid_argument("brood: placement: host " + each.host +
                                        " takes no worker: leave it out");
}

BROOD_INLINE bool placement::is_set_aside(std::size_t host, time_point now) const
{
    auto& back = state_.at(host).back;
    return back && now < *back;
}

BROOD_INLINE bool placement::can_take(std::size_t host, time_point now) const
{
    auto& state = state_[host];
    auto may_start = options_.starts_at_once == 0 || state.starting < options_.starts_at_once;
    return state.taken < places_[host].slots && may_start && !is_set_aside(host, now);
}

BROOD_INLINE bool placement::is_better(std::size_t one, std::size_t other) const
{
    // Two fractions, without division.
    return options_.how == placement_options::order::spread &&
           state_[one].taken * places_[other].slots < state_[other].taken * places_[one].slots;
}

BROOD_INLINE std::optional<std::size_t> placement::next(time_point now,
                                                        std::optional<std::size_t> not_at_once)
{
    std::optional<std::size_t> best;
    for (std::size_t host = 0; host < places_.size(); ++host)
    {
        if (host == not_at_once || !can_take(host, now))
            continue;
        if (!best || is_better(host, *best))
            best = host;
    }
    if (!best && not_at_once && *not_at_once < places_.size() && can_take(*not_at_once, now))
        best = not_at_once;
    if (best)
    {
        ++state_[*best].taken;
        ++state_[*best].starting;
    }
    return best;
}

BROOD_INLINE void placement::online(std::size_t host)
{
    auto& starting = state_.at(host).starting;
    if (starting == 0)
        throw std::logic_error("brood: placement: no worker starts on host " + places_[host].host);
    --starting;
}

BROOD_INLINE std::optional<host_set_aside> placement::ended(std::size_t host, time_point now,
                                                            end how)
{
    if (how == end::never_online)
        online(host);
    auto& state = state_.at(host);
    if (state.taken == 0)
        throw std::logic_error("brood: placement: no worker is on host " + places_[host].host);
    --state.taken;
    if (how == end::expected || options_.failures == 0)
        return std::nullopt;
    auto& failures = state.failures;
    failures.push_back(now);
    while (now - failures.front() > options_.within)
        failures.pop_front();
    if (failures.size() < options_.failures || is_set_aside(host, now))
        return std::nullopt;
    state.back = now + options_.aside;
    // It comes back with a clean slate.
    auto count = std::exchange(failures, {}).size();
    return host_set_aside{places_[host].host, count, options_.within, options_.aside};
}

BROOD_INLINE std::optional<placement::time_point> placement::next_return(time_point now) const
{
    std::optional<time_point> first;
    for (std::size_t host = 0; host < state_.size(); ++host)
        if (is_set_aside(host, now))
            first = std::min(first.value_or(*state_[host].back), *state_[host].back);
    return first;
}

BROOD_INLINE std::size_t placement::slots() const noexcept
{
    std::size_t sum = 0;
    for (auto& each : places_)
        sum += each.slots;
    return sum;
}

} // namespace brood
