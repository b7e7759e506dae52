// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/arrival.hpp>
#include <brood/remote/detail/journey.hpp>
#include <brood/remote/detail/peer_visit.hpp>
#include <brood/remote/detail/volunteer.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace brood::detail
{

BROOD_INLINE void arrive_at_primary()
{
    try
    {
        if (std::getenv(elsewhere_variable) != nullptr)
            journey().go();
        else
            volunteer().go();
    }
    catch (const std::exception& why)
    {
        std::fprintf(stderr, "brood: this process was to be a worker, and cannot be one: %s\n",
                     why.what());
        std::_Exit(1);
    }
}

BROOD_INLINE const far_meeting& way_to_meet() noexcept
{
    static constexpr far_meeting by_visit{&wait_for_visit, &visit};
    return by_visit;
}

} // namespace brood::detail
