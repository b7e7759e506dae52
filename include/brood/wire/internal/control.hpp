// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/internal/frame_writer.hpp>
#include <brood/wire/internal/take.hpp>

#include <memory>
#include <optional>
#include <utility>

// The second lane of a channel, for what a worker and its primary say to each other: the users of
// the channel neither see it nor get in its way.

namespace brood::detail
{

bool may_send(const link& to) noexcept;

/// Ends the link for a control frame of a type that its peer must not send.
[[noreturn]] void fail_control(link& from);

/// Sends a value on the lane for control; nothing when nothing can be sent any more. Objects beside
/// it as for channel::send(), but they never come back.
template <class Message, class... Objects>
void send_control(link& to, const Message& value, Objects&&... beside)
{
    check_message<Message>();
    if (!may_send(to))
        return;
    frame_writer frame(to, frame_kind::control, label_of<Message>(), 0, count_of(beside...));
    frame.write(value);
    frame.send(take_descriptors(std::forward<Objects>(beside)...));
}

/// The next value on that lane, or nothing when no more will come. Throws why the channel failed.
/// What is none of these types ends the channel with errc::malformed.
template <class... Messages>
task<std::optional<one_of_t<Messages...>>> next_control(std::shared_ptr<link> from)
{
    try
    {
        auto word = co_await receive<Messages...>(from, lane_name::controls, std::nullopt);
        co_return word;
    }
    catch (const error&)
    {
        fail_control(*from);
    }
}

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/wire/impl/control.ipp>
#endif
