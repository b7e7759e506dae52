// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/channel.hpp>
#include <brood/wire/internal/link.hpp>

#include <memory>
#include <string>
#include <utility>

namespace brood::detail
{

/// A channel to a process on another machine, over a socket that carries bytes alone. Whoever sends
/// objects beside a message is told errc::not_local.
class far_channel : public channel
{
public:
    /// With an empty descriptor the socket comes later, by link()->connect(): until then what is
    /// sent waits. With a cipher, whose handshake is over, its bytes pass through that.
    far_channel(asio::any_io_executor executor, descriptor socket, std::string peer,
                const channel_limits& limits, std::shared_ptr<cipher> through = nullptr)
        : channel(opened(std::make_shared<detail::link>(std::move(executor), std::move(socket),
                                                        std::move(peer), limits, reach::elsewhere),
                         std::move(through)))
    {
    }

    using channel::link;

private:
    static std::shared_ptr<detail::link> opened(std::shared_ptr<detail::link> made,
                                                std::shared_ptr<cipher> through)
    {
        made->sending().encrypt(std::move(through));
        made->open();
        return made;
    }
};

} // namespace brood::detail
