// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/base/internal/temporary.hpp>
#include <brood/base/task.hpp>
#include <brood/wire/attachment.hpp>
#include <brood/wire/call.hpp>
#include <brood/wire/internal/frame_writer.hpp>
#include <brood/wire/internal/take.hpp>
#include <brood/wire/limits.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood
{

/// One end of an ordered stream of typed messages to another process, both ways.
///
/// A forked child has one to its parent (`process`), and its parent one to the child
/// (`forked_process`). Messages are any types that cereal can serialise; each carries a fingerprint
/// of its type, so that the wrong type is an error and never garbage. Every wait may be cancelled
/// and loses nothing, any number of coroutines may wait, and the channel may be moved or destroyed
/// while they do.
///
/// Belongs to one executor: call its members there only. Follows Node's subprocess.send and
/// 'message':
/// https://nodejs.org/api/child_process.html#subprocesssendmessage-sendhandle-options-callback
class channel
{
public:
    /// No channel: `connected()` is false, and whatever needs one throws errc::no_channel.
    channel() noexcept = default;

    /// A channel over one end of a local stream socket. `peer` names the other side in errors.
    channel(asio::any_io_executor executor, descriptor socket, std::string peer,
            const channel_limits& limits = {});

    /// Two ends that are connected, both in this process.
    static std::pair<channel, channel> pair(const channel_limits& limits = {});

    channel(channel&&) noexcept = default;

    channel& operator=(channel&& other) noexcept
    {
        std::swap(link_, other.link_);
        channel(std::move(other)).abandon();
        return *this;
    }

    /// What was sent is still written in the background of the loop; the other side reads the end
    /// then.
    ~channel() { abandon(); }

    /// Sends a message, and objects beside it that the other side then owns.
    ///
    /// Encodes into the outgoing buffer before it returns, and writes at the end of this turn of
    /// the loop, together with what else is sent until then. Returns whether there is room for
    /// more: when false, `co_await drain()` before the next one. Objects are Asio sockets,
    /// acceptors and pipes, `descriptor` or `std::vector<descriptor>`, given away by std::move or
    /// shared with `share(object)`, and `shared_bytes`, whose `copied()` travels to other machines
    /// too. They stay open here until the other side has taken them: see `undelivered()`.
    ///
    /// Throws brood::error: closed (it has gone, or disconnect() was called), overflow (it does not
    /// read and the limit is reached), too_large, not_local (objects cannot leave this machine);
    /// std::system_error (EBADF) for an empty descriptor; and what the value's own serialisation
    /// throws. Nothing has been sent then.
    template <class Message, class... Objects>
    bool send(const Message& value, Objects&&... beside)
    {
        check_message<Message>();
        if constexpr (detail::are_copied<Objects...>)
            if (detail::is_elsewhere(use()))
                return detail::send_copies(use(), value, beside...);
        detail::frame_writer frame(use(), frame_kind::message, detail::label_of<Message>(), 0,
                                   detail::count_of(beside...));
        frame.write(value);
        return frame.send(detail::take_descriptors(std::forward<Objects>(beside)...));
    }

    /// The next message, or nothing when the other side has closed and everything it sent was
    /// taken.
    ///
    /// Does not suspend when a message is here already; otherwise it goes on in the turn of the
    /// loop in which one comes. Messages keep their order: asking for another type than the next
    /// one has throws errc::wrong_type, which names both, and leaves it for the next call; several
    /// types give a std::variant of whichever comes. `carrying<Message, Objects...>` takes objects
    /// that came beside it; objects that are not asked for are closed. A frame that cannot be right
    /// throws errc::malformed and ends the channel, after the good messages before it. Cancelled,
    /// it throws operation_aborted and loses nothing. Each message wakes one of those that wait.
    /// Follows Node's 'message' event: https://nodejs.org/api/process.html#event-message
    template <class... Messages>
    task<std::optional<detail::one_of_t<Messages...>>> message()
    {
        return detail::receive<Messages...>(shared(), detail::lane_name::messages, std::nullopt);
    }

    /// The same, but when nothing comes within `limit` it throws errc::timed_out and loses nothing.
    template <class... Messages>
    task<std::optional<detail::one_of_t<Messages...>>>
    message(std::chrono::steady_clock::duration limit)
    {
        return detail::receive<Messages...>(shared(), detail::lane_name::messages,
                                            detail::time_from_now(limit));
    }

    /// The next message if one is here, without waiting. Nothing also at the end: `connected()`
    /// tells. Throws what message() throws.
    template <class... Messages>
    std::optional<detail::one_of_t<Messages...>> try_message()
    {
        auto& from = use();
        auto oldest = detail::oldest_of(from, detail::lane_name::messages);
        if (oldest.is != detail::waiting_frame::state::here)
            return std::nullopt;
        return detail::take_one<Messages...>(from, detail::lane_name::messages, oldest);
    }

    /// Waits until a message can be taken without waiting (true), or none will come any more
    /// (false).
    ///
    /// Takes nothing, so it can stand beside other waits under `||`. Throws what message() throws
    /// for bytes that cannot be right.
    task<bool> readable();

    /// Waits until there is room to send more. Throws errc::closed when there never will be.
    task<> drain();

    /// Waits until everything that was sent is in the hands of the kernel, so that the other side
    /// can read it even when this process ends now. Throws when something could not be delivered.
    task<> flush();

    /// Sends nothing more. The other side reads everything that was sent, then the end.
    ///
    /// What it still sends can be received. Calling it again does nothing.
    /// Follows https://nodejs.org/api/child_process.html#subprocessdisconnect
    void disconnect();

    /// Waits until the other side has closed, or its process has ended; at once when that was
    /// before. Everything it sent can then be taken without waiting.
    task<> disconnected();

    /// Whether neither side has closed yet.
    bool connected() const noexcept;

    /// The descriptors that were sent and come back: the other side could not receive them, or it
    /// closed or died before it took their message. In the order they were sent; they are the
    /// caller's again. Complete after `disconnected()`: until then it may have said that it took
    /// some, which has not been read.
    std::vector<descriptor> undelivered();

    /// Sends a request and awaits its reply: `co_await worker.call<int>(square{3})`.
    ///
    /// The request is sent by the call itself, awaited or not. Many may be under way, both ways;
    /// replies come in any order. Throws remote_error with the text and type of what the handler
    /// threw; errc::unhandled when there is no handler; errc::closed at once when the other side
    /// goes. When it is cancelled, late, or never awaited, the handler is cancelled as well.
    /// `Reply` may be void.
    template <class Reply, class Request>
    task<Reply> call(Request&& request)
    {
        detail::check_temporary<Request>();
        return detail::call<Reply>(shared(), request, std::nullopt);
    }

    /// The same with a time limit, after which it throws errc::timed_out.
    template <class Reply, class Request>
    task<Reply> call(Request&& request, std::chrono::steady_clock::duration limit)
    {
        detail::check_temporary<Request>();
        return detail::call<Reply>(shared(), request, detail::time_from_now(limit));
    }

    /// Answers requests until the other side has closed: each with the handler that takes its type.
    ///
    /// A handler is a function or lambda of one parameter, which returns the reply or a task of it;
    /// handlers run side by side. What one throws goes to the caller as remote_error. Every handler
    /// that is still working when this is cancelled is cancelled; at the end of the stream their
    /// replies are awaited. While the other side does not read its replies, no further request is
    /// begun; replies above `max_outgoing` end the channel with errc::overflow.
    template <class... Handlers>
    task<> serve(Handlers&&... handlers)
    {
        (detail::check_temporary<Handlers>(), ...);
        std::vector<detail::request_handler> all;
        all.reserve(sizeof...(handlers));
        (all.push_back(detail::handler_of(std::forward<Handlers>(handlers))), ...);
        return detail::serve(shared(), std::move(all));
    }

protected:
    /// A channel over a link that is open.
    explicit channel(std::shared_ptr<detail::link> open) noexcept : link_(std::move(open)) {}

    /// The link below, for the floors above; null without a channel.
    const std::shared_ptr<detail::link>& link() const noexcept { return link_; }

private:
    detail::link& use() const;
    std::shared_ptr<detail::link> shared() const;
    void abandon() noexcept;

    std::shared_ptr<detail::link> link_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/wire/impl/channel.ipp>
#endif
