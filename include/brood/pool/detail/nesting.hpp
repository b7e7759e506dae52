// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace brood::detail
{

/// How deep in pools this process is, and how many workers a pool of it has by default: what the
/// machine can do at once is shared by the workers of a pool, down the tree.
class nesting
{
public:
    static constexpr auto variable = "BROOD_POOL";
    static constexpr std::size_t deepest = 16;

    /// `machine` workers when it is in no pool.
    nesting(std::size_t depth, std::size_t share) noexcept : depth_(depth), share_(share) {}

    static nesting of_this_process(std::size_t machine)
    {
        auto text = std::getenv(variable);
        if (text == nullptr)
            return {0, machine};
        char* rest = nullptr;
        auto depth = std::strtoul(text, &rest, 10);
        auto share = *rest == '.' ? std::strtoul(rest + 1, nullptr, 10) : 1;
        return {depth, std::max<std::size_t>(share, 1)};
    }

    std::size_t share() const noexcept { return share_; }

    /// For the workers of a pool of this process. Throws std::logic_error beyond all sense.
    nesting below(std::size_t workers) const
    {
        if (depth_ >= deepest)
            throw std::logic_error(
                "brood: a pool in a worker of a pool, and so on, " + std::to_string(deepest) +
                " deep: a function that a pool calls must not call its own pool for ever");
        return {depth_ + 1, std::max<std::size_t>(share_ / std::max<std::size_t>(workers, 1), 1)};
    }

    std::string to_string() const { return std::to_string(depth_) + '.' + std::to_string(share_); }

private:
    std::size_t depth_;
    std::size_t share_;
};

} // namespace brood::detail
