// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace brood::detail
{

/// How long nothing has come from somebody who is to show that he is alive, as a listener counts it
/// whose own loop may stand still: a turn that comes late counts as one.
class silence
{
public:
    /// Whatever he does not say now is none.
    void forgive() noexcept { lasts_ = std::chrono::milliseconds(0); }

    /// A turn of the listener is over, which was to take so long; so many bytes have come so far.
    /// Gives how long none have come.
    std::chrono::milliseconds turn(std::chrono::milliseconds length, std::uint64_t heard) noexcept
    {
        lasts_ = heard == before_ ? lasts_ + length : std::chrono::milliseconds(0);
        before_ = heard;
        return lasts_;
    }

private:
    std::uint64_t before_ = 0; // at the end of the last turn
    std::chrono::milliseconds lasts_{0};
};

} // namespace brood::detail
