// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/channel.hpp>

#include <memory>

namespace brood::detail
{

/// The link below a channel, which a channel shows to those alone that are one.
inline const std::shared_ptr<link>& link_of_channel(const channel& of) noexcept
{
    struct opened : channel
    {
        static const std::shared_ptr<detail::link>& in(const channel& one) noexcept
        {
            return (one.*&opened::link)();
        }
    };
    return opened::in(of);
}

} // namespace brood::detail
