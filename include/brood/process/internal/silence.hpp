// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace brood::detail
{

/// How long somebody who says that he is alive has said nothing, as a listener counts it whose own
/// loop may stand still: a turn that comes late counts as one.
class silence
{
public:
    /// He was heard.
    void hear() noexcept { ++heard_; }

    /// A turn of the listener is over, which was to take so long. Gives how long nothing was heard.
    std::chrono::milliseconds turn(std::chrono::milliseconds length) noexcept
    {
        lasts_ = heard_ == before_ ? lasts_ + length : std::chrono::milliseconds(0);
        before_ = heard_;
        return lasts_;
    }

private:
    std::uint64_t heard_ = 0;
    std::uint64_t before_ = 0; // at the end of the last turn
    std::chrono::milliseconds lasts_{0};
};

} // namespace brood::detail
