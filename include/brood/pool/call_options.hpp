// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/hash.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace brood
{

/// How often a call may be begun when workers end with it: `at_most_once`, or `at_least_once(3)`.
class attempts
{
public:
    constexpr attempts() noexcept = default;

    constexpr attempts(unsigned most, bool repeats) noexcept : most_(most), repeats_(repeats) {}

    /// So many workers may end by it; then its caller learns how.
    constexpr unsigned most() const noexcept { return most_; }

    /// Whether it may be begun again although it may have run.
    constexpr bool repeats() const noexcept { return repeats_; }

    friend constexpr bool operator==(const attempts&, const attempts&) = default;

private:
    unsigned most_ = 1;
    bool repeats_ = false;
};

/// A call whose worker ended is not tried again, as it may have run: the caller gets worker_lost.
inline constexpr attempts at_most_once{};

/// A call whose worker ended is tried again elsewhere, until `most` workers have ended by it: for
/// functions that may run more than once for one result.
constexpr attempts at_least_once(unsigned most = 3) noexcept
{
    return {most == 0 ? 1 : most, true};
}

/// Calls with the same key go to the same worker, as long as that is not busier than others: for
/// workers that keep what they have read. A number or a text.
class affinity_key
{
public:
    constexpr affinity_key() noexcept = default;

    template <std::integral Number>
    constexpr affinity_key(Number key) noexcept : hash_(static_cast<std::uint64_t>(key))
    {
    }

    constexpr affinity_key(std::string_view key) noexcept
        : hash_(detail::hash_of(key)) // so that no text has to be kept
    {
    }

    constexpr affinity_key(const char* key) noexcept : affinity_key(std::string_view(key)) {}

    constexpr const std::optional<std::uint64_t>& hash() const noexcept { return hash_; }

private:
    std::optional<std::uint64_t> hash_;
};

/// What one call of a pool asks for: `pool.with({.deadline = 2s})(35)`.
struct call_options
{
    /// From the call to its result, waiting included; zero for any time. A call that is late throws
    /// errc::timed_out; its worker is asked to stop it and, after pool_settings::grace, killed.
    /// Of a map, it is for each item.
    std::chrono::steady_clock::duration deadline{0};

    /// When its worker ends; by default as pool_settings::attempts says.
    std::optional<brood::attempts> attempts = {};

    /// Of the calls that wait, the highest goes first; those of one priority in their order.
    int priority = 0;

    /// Which worker it should go to.
    affinity_key affinity = {};
};

} // namespace brood
