// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/internal/reach.hpp>
#include <brood/wire/limits.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace brood::detail
{

/// Who is at the other end of a link, and what may cross.
class far_end
{
public:
    far_end(std::string peer, const channel_limits& limits, reach where)
        : peer_(std::move(peer)), limits_(within(limits, where)), reach_(where)
    {
    }

    const std::string& peer() const noexcept { return peer_; }

    const channel_limits& limits() const noexcept { return limits_; }

    /// Whether it is on another machine, for all that is promised.
    bool is_elsewhere() const noexcept { return reach_ == reach::elsewhere; }

    /// With which exit code its process said that it ends; nothing when it has not.
    std::optional<int> farewell() const noexcept { return farewell_; }

protected:
    void hear_farewell(std::uint64_t code) noexcept { farewell_ = static_cast<int>(code & 0xff); }

private:
    std::string peer_;
    channel_limits limits_;
    reach reach_;
    std::optional<int> farewell_;
};

} // namespace brood::detail
