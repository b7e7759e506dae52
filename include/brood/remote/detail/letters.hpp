// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace brood::detail
{

/// Of ASCII, whatever the locale.
constexpr bool is_letter_or_digit(char one) noexcept
{
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9');
}

} // namespace brood::detail
