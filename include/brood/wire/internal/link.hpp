// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/error.hpp>
#include <brood/wire/detail/call_table.hpp>
#include <brood/wire/detail/exit_watch.hpp>
#include <brood/wire/detail/far_end.hpp>
#include <brood/wire/detail/receiver.hpp>
#include <brood/wire/detail/sender.hpp>
#include <brood/wire/detail/socket_state.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace brood::detail
{

/// One end of a channel below the types: a socket, the frames on it both ways, and how it ends.
///
/// One reader, which no user can cancel, takes in what arrives; whoever wants something waits in a
/// queue. Made with an empty descriptor, it keeps what is sent until connect(). For one loop.
class link : public std::enable_shared_from_this<link>, public far_end
{
public:
    link(asio::any_io_executor executor, descriptor socket, std::string peer,
         const channel_limits& limits, reach where = reach::local)
        : far_end(std::move(peer), limits, where),
          socket_(open_stream(executor, std::move(socket))),
          sender_(std::make_shared<sender>(socket_, far_end::peer(), far_end::limits(), where)),
          receiver_(executor, far_end::limits()), awaits_bytes_(!socket_->is_open()),
          calls_(executor), exit_(executor), disconnected_(executor)
    {
    }

    /// Says hello and begins to read. Call it once.
    void open()
    {
        auto window = to_bytes(receiver_.window());
        sender_->send_text({0, frame_kind::hello, 0, 0, wire_magic, wire_version},
                           {reinterpret_cast<const char*>(window.data()), window.size()});
        read_when_ready();
    }

    /// The socket of a link that was made without one; closed when the link has ended meanwhile.
    void connect(descriptor socket)
    {
        if (state_ == state::ended && !sender_->may_answer())
            return;
        assign_descriptor(std::move(socket), *socket_);
        awaits_bytes_ = false;
        if (reads())
            read_when_ready();
        sender_->connected();
    }

    asio::any_io_executor executor() { return socket_->get_executor(); }

    detail::sender& sending() noexcept { return *sender_; }
    std::shared_ptr<detail::sender> shared_sender() const noexcept { return sender_; }

    lane& waiting(lane_name where) noexcept { return receiver_[where]; }

    std::span<const std::byte> payload(const arrival& of) const
    {
        return receiver_.stream().payload(of);
    }

    std::string name_of(std::uint64_t fingerprint) const { return receiver_.name_of(fingerprint); }
    std::uint64_t heard() const noexcept { return receiver_.stream().heard(); } ///< In bytes.

    /// Takes out the oldest; its payload is gone then. Its sender learns who has the descriptors.
    arrival pop(lane_name from)
    {
        auto taken = receiver_.pop(from);
        if (taken.freight)
            acknowledge(*taken.freight);
        give_credit(from, taken);
        if (state_ == state::paused && !receiver_.is_full())
        {
            state_ = state::reading;
            read_when_ready();
        }
        return taken;
    }

    call_table& calls() noexcept { return calls_; }

    /// Whether nothing more will arrive. What has arrived can still be taken.
    bool ended() const noexcept { return state_ >= state::discarding; }

    bool may_send() const noexcept { return sender_->open(); }
    bool connected() const noexcept { return !ended() && sender_->open(); }

    /// Throws what the other side did wrong, if that is how the link ended.
    void rethrow_failure() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
    }

    static task<> disconnected(std::shared_ptr<link> self, deadline until = std::nullopt)
    {
        co_await self->disconnected_.get_until(until);
    }

    /// Whether it has its socket, and more may come.
    bool may_hear_more() const noexcept { return reads() && socket_->is_open(); }

    /// Somebody will call peer_exited(): a frame that breaks off is no fault until then.
    void expect_exit() noexcept { exit_.expect_word(); }
    /// The process at the other end is our parent, or its end alone closes that: nobody says so.
    void expect_exit_of_parent() noexcept { exit_.expect_other_parent(); }
    void take_end_for_exit() noexcept { exit_.take_end_for_exit(); }

    /// The process at the other end is no more: reads what it left behind, then ends both
    /// directions and closes the socket, however long the handle of the child is kept.
    void peer_exited()
    {
        if (state_ < state::torn)
            receive_what_is_left();
        cut(nullptr);
    }

    /// The other side did something wrong: nothing more is read or sent, and everybody learns why.
    void fail(const error& what)
    {
        if (failure_)
            return;
        if (!told_why_)
            sender_->send_last({0, frame_kind::broken, 0, 0, 0, 0}, what.text());
        failure_ = std::make_exception_ptr(
            error(static_cast<errc>(what.code().value()), peer() + ": " + what.text()));
        cut(failure_);
    }

    /// The same for a frame that has been taken for good: those behind it are not handed out.
    void fail_behind(const error& what)
    {
        receiver_.drop_waiting();
        fail(what);
    }

    /// The owner has gone: nothing is taken any more. What was sent is still written.
    void abandon()
    {
        end_reading();
        sender_->abandon();
        receiver_.drop_waiting([this](lane_name of, auto& gone) { give_credit(of, gone); });
        if (sender_->holds())
        {
            state_ = state::discarding;
            return read_when_ready();
        }
        std::error_code ignored; // it may be closed
        socket_->cancel(ignored);
    }

private:
    enum class state
    {
        reading,
        paused,     // too much waits, and the other side cannot be told any more what it may send
        emptying,   // the process has ended: what it left is read
        torn,       // the stream broke off in a frame: whether the process has ended is not known
        discarding, // the owner has gone, and what was sent waits until the other side takes some
        ended,
    };

    // Once for all who ask, as somebody may do so within a turn, which asks at its end itself.
    void read_when_ready()
    {
        if (std::exchange(awaits_bytes_, true))
            return;
        when_readable(*socket_, sender_->through(),
                      [self = shared_from_this()](std::error_code)
                      {
                          self->awaits_bytes_ = false;
                          if (self->reads())
                              self->turn();
                      });
    }

    bool reads() const noexcept
    {
        return state_ == state::reading || (state_ == state::discarding && sender_->may_answer());
    }

    // One turn: take in what has come, let those go on who wait for it, write what they sent. Read
    // by read, so that the other side learns what more it may send before it has sent all it may.
    // Ends behind so much: who writes faster than it is read must not keep the loop.
    void turn()
    {
        sender_->begin_turn();
        for (std::size_t sum = 0, more = 1; more != 0 && reads() && sum < per_turn; sum += more)
        {
            more = receive(per_read);
            resume_waiting();
            sender_->flush();
        }
        sender_->end_turn();
        if (reads())
            read_when_ready();
    }

    // Whoever goes on does so inside this call, and may do anything: the link may have ended then.
    void resume_waiting()
    {
        receiver_.resume_takers();
        calls_.resume_callers();
    }

    // Reads once. Gives how much, or 0 when there is no more for now.
    std::size_t receive(std::size_t most)
    {
        auto socket = socket_->native_handle();
        auto result = receiver_.stream().receive_from(socket, most, sender_->through());
        if (is_end(result.bytes))
            end_of_stream();
        if (result.bytes <= 0 || !sort_all() || !may_read_on(result))
            return 0;
        return static_cast<std::size_t>(result.bytes);
    }

    // The process has ended, but its own children may hold the socket still, and write for ever.
    void receive_what_is_left()
    {
        state_ = state::emptying;
        for (auto rest = bytes_left(socket_->native_handle(), sender_->through()); rest != 0;)
        {
            auto more = receive(rest);
            rest = more == 0 ? 0 : rest - more;
        }
        if (!ended() && is_at_end(socket_->native_handle()))
            end_of_stream();
        resume_waiting();
    }

    // A read that did not fill its room has emptied the socket, unless descriptors stopped it.
    bool may_read_on(const received& last)
    {
        if (state_ == state::reading && !sender_->may_answer() && receiver_.is_full())
            pause();
        auto more_left = last.filled || last.descriptors != 0 || last.descriptors_lost;
        return state_ == state::emptying || (reads() && more_left && !receiver_.is_crowded());
    }

    // Nothing can be said after disconnect(), so the other side cannot be told to wait. A reply
    // that somebody waits for may stand behind the messages that nobody takes.
    void pause()
    {
        if (!calls_.expects_replies())
            state_ = state::paused;
        else if (receiver_.is_overfull())
            fail(error(errc::overflow, "its messages are not taken while a call waits for its "
                                       "reply; take them in another coroutine"));
    }

    bool sort_all()
    {
        try
        {
            auto& stream = receiver_.stream();
            for (auto found = stream.next(); found; found = stream.next())
            {
                sort(std::move(*found));
                if (failure_)
                    return false;
            }
            stream.release();
            if (auto window = receiver_.take_greeting())
                sender_->greeted(*window);
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
            push(lane_name::messages, std::move(found));
            break;
        case frame_kind::request:
            push(lane_name::requests, std::move(found));
            break;
        case frame_kind::control:
            push(lane_name::controls, std::move(found));
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
            receiver_.remember_name(found);
            break;
        case frame_kind::credit:
            if (!sender_->add_credit(header.fingerprint, header.correlation))
                throw error(errc::malformed, "credit for what needs none");
            break;
        case frame_kind::broken:
            told_why_ = true;
            throw error(errc::malformed,
                        "it cannot read what it was sent: " + receiver_.text_of(found));
        case frame_kind::hello:
            break;
        case frame_kind::farewell:
            hear_farewell(header.correlation);
        }
    }

    // The owner that has gone takes nothing, but must not keep the other side from going on.
    void push(lane_name to, arrival&& found)
    {
        receiver_.push(to, std::move(found), !sender_->may_answer());
        if (state_ == state::discarding)
            give_credit(to, receiver_.pop(to));
    }

    void give_credit(lane_name of, const arrival& gone)
    {
        auto kind = of == lane_name::messages ? frame_kind::message : frame_kind::request;
        if (auto more = receiver_.credit_for(of, gone))
            sender_->send_empty(frame_kind::credit, static_cast<std::uint64_t>(kind), more);
    }

    void answer(arrival&& found)
    {
        if (found.freight)
            acknowledge(*found.freight);
        auto waiting = calls_.take_slot(found.content.header.correlation);
        if (waiting == nullptr)
            return; // it came too late
        auto payload = receiver_.stream().payload(found);
        waiting->payload.assign(payload.begin(), payload.end());
        waiting->header = found.content.header;
        waiting->beside = found.take_companions();
        waiting->answered = true;
    }

    void cancel_request(std::uint64_t correlation)
    {
        if (calls_.cancel(correlation))
            return;
        if (auto request = waiting(lane_name::requests).frames.find(correlation))
            request->cancelled = true;
    }

    void acknowledge(const freight& taken)
    {
        sender_->send_empty(taken.beside.lost ? frame_kind::refused : frame_kind::taken, 0,
                            taken.carrier);
        if (sender_->overfull())
            fail(error(errc::overflow, "it sends descriptors and does not read that they came"));
    }

    void end_of_stream()
    {
        if (receiver_.stream().in_frame() && state_ < state::emptying)
            return tear();
        end_reading();
        sender_->expect_no_confirmations();
        give_up_when_gone();
    }

    void tear()
    {
        state_ = state::torn;
        exit_.ask(
            [self = shared_from_this()](bool has_ended)
            {
                if (self->state_ != state::torn)
                    return;
                if (has_ended)
                    self->peer_exited();
                else
                    self->fail(error(errc::malformed, "it ended in the middle of a frame"));
            });
    }

    // It sends nothing more, but may read on until it has closed both directions.
    void give_up_when_gone()
    {
        if (has_hung_up(socket_->native_handle()))
            return sender_->give_up(nullptr);
        socket_->async_wait(stream_socket::wait_error,
                            [self = shared_from_this()](std::error_code cancelled)
                            {
                                if (!cancelled)
                                    self->sender_->give_up(nullptr);
                            });
    }

    // At once, both ways.
    void cut(std::exception_ptr why)
    {
        end_reading();
        receiver_.stream().close_loose();
        sender_->give_up(std::move(why));
        std::error_code ignored;
        socket_->close(ignored);
    }

    void end_reading()
    {
        exit_.cancel();
        if (std::exchange(state_, state::ended) >= state::discarding)
            return;
        calls_.end_replies();
        disconnected_.set({});
        receiver_.wake_all_takers();
    }

    static constexpr std::size_t per_turn = std::size_t{1} << 20;
    static constexpr std::size_t per_read = std::size_t{256} << 10;

    std::shared_ptr<stream_socket> socket_;
    std::shared_ptr<detail::sender> sender_;
    receiver receiver_;
    state state_ = state::reading;
    bool awaits_bytes_;
    bool told_why_ = false; // by the other side
    std::exception_ptr failure_;
    call_table calls_;
    exit_watch exit_;
    shared_result<std::monostate> disconnected_;
};

} // namespace brood::detail
