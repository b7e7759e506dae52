// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>

namespace brood::detail
{

BROOD_INLINE bool may_send(const link& to) noexcept
{
    return to.may_send();
}

[[noreturn]] BROOD_INLINE void fail_control(link& from)
{
    from.fail(error(errc::malformed, "a control frame that it must not send"));
    from.rethrow_failure();
    throw error(errc::malformed, "a control frame");
}

} // namespace brood::detail
