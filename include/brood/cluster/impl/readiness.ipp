// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/readiness.hpp>

namespace brood
{

BROOD_INLINE std::string what_was_missing(const readiness& how)
{
    switch (how.what())
    {
    case readiness::kind::accepting:
        return "nobody accepted at port " + std::to_string(how.port()) + " of " + how.text();
    case readiness::kind::printing:
        return "it printed no line with \"" + how.text() + '"';
    case readiness::kind::notified:
        return "it did not send READY=1 to its NOTIFY_SOCKET";
    case readiness::kind::automatic:
    case readiness::kind::said:
    case readiness::kind::running:
    case readiness::kind::after:
        break;
    }
    return "it called neither ready() nor listen(), and awaited no message";
}

} // namespace brood
