// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/error.hpp>
#include <brood/wire/detail/arrivals.hpp>
#include <brood/wire/detail/sender.hpp>
#include <brood/wire/limits.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace brood::detail
{

/// Where the reply to a request is put, and who waits for it.
struct reply_slot
{
    explicit reply_slot(asio::any_io_executor executor) : waiting(std::move(executor)) {}

    frame_header header;
    std::vector<std::byte> payload;
    companions beside;
    bool answered = false;
    wait_queue waiting;
};

/// One end of a channel below the types: a socket, the frames on it both ways, and how it ends.
///
/// One reader, which no user can cancel, takes in what arrives; whoever wants something waits in a
/// queue. For one loop, one thread.
class link : public std::enable_shared_from_this<link>
{
public:
    link(asio::any_io_executor executor, descriptor socket, std::string peer,
         const channel_limits& limits)
        : socket_(open_stream(executor, std::move(socket))),
          sender_(std::make_shared<sender>(socket_, peer, limits)), arrivals_(executor, limits),
          peer_(std::move(peer)), limits_(limits), disconnected_(executor)
    {
    }

    /// Says hello and begins to read. Call it once.
    void open()
    {
        sender_->send_empty(frame_kind::hello, wire_magic, wire_version);
        read_when_ready();
    }

    const std::string& peer() const noexcept { return peer_; }

    const channel_limits& limits() const noexcept { return limits_; }

    asio::any_io_executor executor() { return socket_->get_executor(); }

    detail::sender& sending() noexcept { return *sender_; }

    std::shared_ptr<detail::sender> shared_sender() const noexcept { return sender_; }

    lane& waiting(lane_name where) noexcept { return arrivals_[where]; }

    std::span<const std::byte> payload(const arrival& of) const { return arrivals_.payload(of); }

    std::string name_of(std::uint64_t fingerprint) const { return arrivals_.name_of(fingerprint); }

    /// Takes out the oldest; its payload is gone then. Its sender learns who has the descriptors.
    arrival pop(lane& from)
    {
        auto taken = arrivals_.pop(from.frames);
        acknowledge(taken);
        if (!too_much_waits())
            read_on();
        return taken;
    }

    /// The number of a new request, whose reply goes to `slot` until it is forgotten.
    std::uint64_t expect_reply(reply_slot& slot)
    {
        replies_.emplace(++last_request_, &slot);
        read_on(); // the reply may stand behind messages that nobody takes
        return last_request_;
    }

    /// False when it was answered, or the link ended, in between.
    bool forget_reply(std::uint64_t correlation) { return replies_.erase(correlation) != 0; }

    /// Whether the handler of a request with this number works.
    bool is_handled(std::uint64_t correlation) const { return handlers_.contains(correlation); }

    /// Knows how to stop the handler of a request when its caller waits no more.
    void handling(std::uint64_t correlation, asio::cancellation_signal& stop)
    {
        handlers_.emplace(correlation, &stop);
    }

    void handled(std::uint64_t correlation) { handlers_.erase(correlation); }

    /// Whether nothing more will arrive. What has arrived can still be taken.
    bool ended() const noexcept { return state_ == state::ended; }

    bool may_send() const noexcept { return sender_->open(); }

    bool connected() const noexcept { return !ended() && sender_->open(); }

    /// Throws what the other side did wrong, if that is how the link ended.
    void rethrow_failure() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
    }

    static task<> disconnected(std::shared_ptr<link> self) { co_await self->disconnected_.get(); }

    /// The process at the other end is no more: reads what it left behind, then ends both
    /// directions and closes the socket, however long the handle of the child is kept.
    void peer_exited()
    {
        if (!ended())
            receive_what_is_left();
        end_reading();
        sender_->give_up(nullptr);
        close_socket();
    }

    /// The other side did something wrong: nothing more is read or sent, and everybody learns why.
    void fail(const error& what)
    {
        if (failure_)
            return;
        failure_ = std::make_exception_ptr(
            error(static_cast<errc>(what.code().value()), peer_ + ": " + what.text()));
        end_reading();
        arrivals_.close_loose();
        sender_->give_up(failure_);
        close_socket();
    }

    /// The owner has gone: nothing is read any more. What was sent is still written.
    void abandon()
    {
        end_reading();
        sender_->finish();
        std::error_code ignored; // it may be closed
        socket_->cancel(ignored);
    }

private:
    enum class state
    {
        reading,
        paused,   // too much waits to be taken
        emptying, // the process has ended: what it left is read
        ended,
    };

    bool too_much_waits() noexcept
    {
        return arrivals_.holds_more_than(limits_.incoming_high_water, limits_.max_descriptors) &&
               !std::all_of(arrivals_.lanes().begin(), arrivals_.lanes().end(),
                            [](auto& each) { return each.frames.empty(); });
    }

    void read_on()
    {
        if (state_ != state::paused)
            return;
        state_ = state::reading;
        read_when_ready();
    }

    // Once for all who ask, as somebody may do so within a turn, which asks at its end itself.
    void read_when_ready()
    {
        if (std::exchange(awaits_bytes_, true))
            return;
        socket_->async_wait(stream_socket::wait_read,
                            [self = shared_from_this()](std::error_code)
                            {
                                self->awaits_bytes_ = false;
                                if (self->state_ == state::reading)
                                    self->turn();
                            });
    }

    // One turn: take in what has come, let those go on who wait for it, write what they sent.
    void turn()
    {
        sender_->begin_turn();
        receive(most_per_turn);
        resume_waiting();
        sender_->end_turn();
        if (state_ == state::reading)
            read_when_ready();
    }

    // Stops behind so many bytes: who writes faster than they are read must not keep the loop.
    void receive(std::size_t most)
    {
        std::size_t done = 0;
        auto more = true;
        while (more)
        {
            // Also one call would go on for as long as the other side writes and there is room.
            auto result = arrivals_.receive_from(socket_->native_handle(),
                                                 std::min(most - done, most_per_read));
            done += static_cast<std::size_t>(std::max<ssize_t>(result.bytes, 0));
            if (result.bytes > 0)
                more = sort_all() && may_read_on(result) && done < most;
            else
                more = false;
            if (is_end(result.bytes))
                end_of_stream();
        }
    }

    // The process has ended, but its own children may hold the socket still, and write for ever.
    void receive_what_is_left()
    {
        int left = 0;
        ::ioctl(socket_->native_handle(), FIONREAD, &left);
        state_ = state::emptying;
        if (left > 0)
            receive(static_cast<std::size_t>(left));
        std::byte next{};
        if (!ended() && is_end(::recv(socket_->native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT)))
            end_of_stream();
        resume_waiting();
    }

    // A read that did not fill its room has emptied the socket, unless descriptors stopped it.
    bool may_read_on(const received& last)
    {
        if (state_ == state::reading && too_much_waits())
            pause();
        auto more_left = last.filled || last.descriptors != 0 || last.descriptors_lost;
        return state_ == state::emptying || (state_ == state::reading && more_left);
    }

    // A reply that somebody waits for may stand behind the messages that nobody takes.
    void pause()
    {
        if (replies_.empty())
            state_ = state::paused;
        else if (arrivals_.holds_more_than(limits_.max_incoming, 2 * limits_.max_descriptors))
            fail(error(errc::overflow,
                       "its messages are not taken while a call waits for its reply; "
                       "take them in another coroutine"));
    }

    bool sort_all()
    {
        try
        {
            for (auto found = arrivals_.next(); found; found = arrivals_.next())
            {
                sort(std::move(*found));
                if (failure_)
                    return false;
            }
            arrivals_.release();
            return true;
        }
        catch (const error& wrong)
        {
            fail(wrong);
            return false;
        }
    }

    void sort(arrival&& found)
    {
        auto& header = found.content.header;
        switch (header.kind)
        {
        case frame_kind::message:
            arrivals_.push(lane_name::messages, std::move(found));
            break;
        case frame_kind::request:
            arrivals_.push(lane_name::requests, std::move(found));
            break;
        case frame_kind::control:
            arrivals_.push(lane_name::controls, std::move(found));
            break;
        case frame_kind::reply:
        case frame_kind::failure:
            answer(std::move(found));
            break;
        case frame_kind::cancel:
            cancel_request(header.correlation);
            break;
        case frame_kind::taken:
            sender_->confirm(header.correlation);
            break;
        case frame_kind::refused:
            sender_->refuse(header.correlation);
            break;
        case frame_kind::type_name:
            arrivals_.remember_name(found);
            break;
        case frame_kind::hello:
            break;
        }
    }

    void answer(arrival&& found)
    {
        acknowledge(found);
        auto waiting = replies_.find(found.content.header.correlation);
        if (waiting == replies_.end())
            return; // it came too late
        auto& slot = *waiting->second;
        replies_.erase(waiting);
        auto payload = arrivals_.payload(found);
        slot.payload.assign(payload.begin(), payload.end());
        slot.header = found.content.header;
        slot.beside = {std::move(found.descriptors), found.descriptors_lost};
        slot.answered = true;
        slot.waiting.post_all();
    }

    void cancel_request(std::uint64_t correlation)
    {
        if (auto handler = handlers_.find(correlation); handler != handlers_.end())
            handler->second->emit(asio::cancellation_type::terminal);
        else if (auto request = waiting(lane_name::requests).frames.find(correlation))
            request->cancelled = true;
    }

    void acknowledge(const arrival& taken)
    {
        if (taken.carrier == 0)
            return;
        sender_->send_empty(taken.descriptors_lost ? frame_kind::refused : frame_kind::taken, 0,
                            taken.carrier);
        if (sender_->overfull())
            fail(error(errc::overflow, "it sends descriptors and does not read that they came"));
    }

    // Each goes on inside this call, and may do anything: take, wait again, drop the channel.
    void resume_waiting()
    {
        for (auto& [frames, takers] : arrivals_.lanes())
            while (!frames.empty() && !takers.empty())
                takers.resume_one();
    }

    void end_of_stream()
    {
        if (arrivals_.in_frame())
            return fail(error(errc::malformed, "it ended in the middle of a frame"));
        end_reading();
        sender_->expect_no_confirmations();
        give_up_when_gone();
    }

    // It sends nothing more, but may read on until it has closed both directions.
    void give_up_when_gone()
    {
        pollfd socket{socket_->native_handle(), 0, 0};
        if (::poll(&socket, 1, 0) == 1 && (socket.revents & (POLLHUP | POLLERR)) != 0)
            return sender_->give_up(nullptr);
        socket_->async_wait(stream_socket::wait_error,
                            [self = shared_from_this()](std::error_code cancelled)
                            {
                                if (!cancelled)
                                    self->sender_->give_up(nullptr);
                            });
    }

    void close_socket()
    {
        std::error_code ignored;
        socket_->close(ignored);
    }

    void end_reading()
    {
        if (std::exchange(state_, state::ended) == state::ended)
            return;
        for (auto& [correlation, slot] : std::exchange(replies_, {}))
            slot->waiting.post_all();
        disconnected_.set({});
        for (auto& each : arrivals_.lanes())
            each.takers.post_all();
    }

    static constexpr std::size_t most_per_turn = std::size_t{1} << 20;
    static constexpr std::size_t most_per_read = std::size_t{256} << 10;

    std::shared_ptr<stream_socket> socket_;
    std::shared_ptr<detail::sender> sender_;
    arrivals arrivals_;
    std::string peer_;
    channel_limits limits_;
    state state_ = state::reading;
    bool awaits_bytes_ = false;
    std::exception_ptr failure_;
    std::uint64_t last_request_ = 0;
    std::unordered_map<std::uint64_t, reply_slot*> replies_;                 // ours, unanswered
    std::unordered_map<std::uint64_t, asio::cancellation_signal*> handlers_; // of theirs, running
    shared_result<std::monostate> disconnected_;
};

} // namespace brood::detail
