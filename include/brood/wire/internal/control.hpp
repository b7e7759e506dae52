// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/channel.hpp>

#include <memory>
#include <optional>
#include <utility>

// The second lane of a channel, for what a worker and its primary say to each other: the users of
// the channel neither see it nor get in its way.

namespace brood::detail
{

/// Sends a value on the lane for control; nothing when nothing can be sent any more. Objects beside
/// it as for channel::send(), but they never come back.
template <class Message, class... Objects>
void send_control(link& to, const Message& value, Objects&&... beside)
{
    check_message<Message>();
    if (!to.sending().open())
        return;
    frame_header header{0, frame_kind::control, 0, 0, message_fingerprint<Message>(), 0};
    to.sending().send(
        header, message_name<Message>(), [&](buffer& bytes) { encode(bytes, value); },
        take_descriptors(std::forward<Objects>(beside)...));
}

/// The next value on that lane, or nothing when no more will come. Throws why the channel failed.
/// What is none of these types ends the channel with errc::malformed.
template <class... Messages>
task<std::optional<one_of_t<Messages...>>> next_control(std::shared_ptr<link> from)
{
    while (from->controls().empty())
    {
        from->rethrow_failure();
        if (from->ended())
            co_return std::nullopt;
        co_await from->control_or_end();
    }
    try
    {
        co_return take_one<Messages...>(*from, from->controls());
    }
    catch (const error&)
    {
        from->fail(error(errc::malformed, "a control frame that it must not send"));
        from->rethrow_failure();
        throw;
    }
}

} // namespace brood::detail
