// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/error.hpp>
#include <brood/wire/detail/flow.hpp>
#include <brood/wire/detail/outgoing.hpp>
#include <brood/wire/detail/stream_socket.hpp>
#include <brood/wire/internal/reach.hpp>
#include <brood/wire/limits.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The half of a link that sends: puts frames together and hands them to the kernel when it takes
/// them.
///
/// Messages and requests for which the other side has no room yet wait apart, so that nothing else
/// waits for them. Sends of one turn of the loop leave in one system call. It lives until
/// everything is written, also when nobody else knows it any more. For one loop, one thread.
class sender : public std::enable_shared_from_this<sender>
{
public:
    sender(std::shared_ptr<stream_socket> socket, std::string peer, const channel_limits& limits,
           reach where = reach::local)
        : socket_(std::move(socket)), peer_(std::move(peer)), limits_(limits), reach_(where),
          flusher_(socket_->is_open() ? flusher::nobody : flusher::socket),
          retry_(socket_->get_executor()), drained_(socket_->get_executor()),
          emptier_(socket_->get_executor()), flushed_(socket_->get_executor())
    {
    }

    /// Whether frames may still be added.
    bool open() const noexcept { return phase_ == phase::open; }

    /// Whether what has been taken can still be told to the other side.
    bool may_answer() const noexcept { return phase_ <= phase::finishing; }

    /// Whether anything waits for the other side to take something.
    bool holds() const noexcept { return !flows_.empty(); }

    /// Whether the next reply may be added without waiting for room_for_replies().
    bool has_room_for_replies() const noexcept
    {
        return frames_.size() <= limits_.outgoing_high_water;
    }

    /// Whether more waits for the kernel than may be added to.
    bool overfull() const noexcept { return frames_.size() > limits_.max_outgoing; }

    /// Throws brood::error (closed, overflow, too_large, not_local) when no such frame may be
    /// added.
    void check_may_send(frame_kind kind, std::size_t descriptors)
    {
        if (phase_ != phase::open)
            throw_closed();
        auto waits = flows_.of(kind) != nullptr ? size() : frames_.size();
        auto most = limits_.max_outgoing + (kind == frame_kind::control ? control_reserve : 0);
        if (waits > most)
            refuse_more(peer_, waits);
        if (descriptors > limits_.max_descriptors)
            refuse_descriptors(peer_, descriptors, limits_.max_descriptors, reach_);
    }

    /// The most bytes of payload in one frame.
    std::size_t longest(frame_kind kind) const noexcept
    {
        return kind == frame_kind::control ? frame_header::max_control
                                           : std::min<std::size_t>(limits_.max_message, UINT32_MAX);
    }

    /// Throws brood::error (too_large) for a payload that the other side would refuse.
    [[noreturn]] void refuse_length(const std::string& length, std::string_view type_name,
                                    std::size_t most) const
    {
        detail::refuse_length(peer_, length, type_name, most, reach_);
    }

    /// Each type's name crosses once, so that an error about a wrong type can name both.
    void announce(std::uint64_t fingerprint, std::string_view name)
    {
        if (std::find(announced_.rbegin(), announced_.rend(), fingerprint) != announced_.rend())
            return;
        announced_.push_back(fingerprint);
        name = name.substr(0, frame_header::max_type_name);
        send_text({0, frame_kind::type_name, 0, 0, fingerprint, 0}, name);
    }

    /// Begins a frame: its payload is appended to what this gives, and it is a frame after end().
    buffer& begin(frame_kind kind, std::size_t descriptors, std::size_t& start)
    {
        auto flow = flows_.of(kind);
        auto leaves = flow == nullptr || (flow->empty() && flows_.may_leave(*flow, descriptors,
                                                                            frames_.unconfirmed()));
        auto& bytes = leaves ? frames_.bytes() : flow->bytes();
        start = begin_frame(bytes);
        return bytes;
    }

    /// False when it is time to await drained().
    bool end(buffer& bytes, std::size_t start, frame_header header,
             std::vector<descriptor> descriptors)
    {
        end_frame(bytes, start, header);
        auto size = bytes.size() - start;
        auto flow = flows_.of(header.kind);
        if (&bytes != &frames_.bytes())
        {
            flow->hold(size, std::move(descriptors));
            return has_room(1);
        }
        if (flow != nullptr)
            flow->spend(size);
        if (!descriptors.empty())
            frames_.attach(start, std::move(descriptors), header.kind != frame_kind::control);
        schedule_flush();
        return has_room(1);
    }

    /// Adds a frame that carries nothing, or a text; nothing when it cannot be sent any more.
    void send_empty(frame_kind kind, std::uint64_t fingerprint, std::uint64_t correlation)
    {
        send_text({0, kind, 0, 0, fingerprint, correlation}, {});
    }

    void send_text(frame_header header, std::string_view text)
    {
        if (!may_answer())
            return;
        auto& bytes = frames_.bytes();
        auto start = begin_frame(bytes);
        bytes.append(text.data(), text.size());
        end_frame(bytes, start, header);
        schedule_flush();
    }

    void greeted(const frame_window& by)
    {
        flows_.greeted(by);
        release();
    }

    /// The other side takes more. False for a kind that needs no credit.
    bool add_credit(std::uint64_t kind, std::uint64_t bytes)
    {
        auto flow = kind > UINT8_MAX ? nullptr : flows_.of(static_cast<frame_kind>(kind));
        if (flow == nullptr)
            return false;
        flow->add_credit(bytes);
        release();
        return true;
    }

    void confirm(std::uint64_t carrier)
    {
        frames_.confirm(carrier);
        release();
    }

    /// The other side reads on, but says nothing any more: nobody waits for what it could confirm
    /// or take.
    void expect_no_confirmations()
    {
        nobody_confirms_ = true;
        flows_.lift();
        release();
        if (has_room(2))
            drained_.post_all();
    }

    void refuse(std::uint64_t carrier)
    {
        frames_.refuse(carrier);
        release();
    }

    /// Between these two, nothing is written: what is sent leaves together at the end.
    void begin_turn()
    {
        if (flusher_ == flusher::nobody)
            flusher_ = flusher::turn;
    }

    void end_turn()
    {
        if (flusher_ == flusher::turn)
            flusher_ = flusher::nobody;
        flush();
    }

    /// Somebody is about to wait for what the other side says to this: writes now, unless the turn
    /// does so at its end.
    void flush_before_waiting()
    {
        if (flusher_ != flusher::turn)
            flush();
    }

    /// Writes what the kernel takes now.
    void flush()
    {
        if (flusher_ == flusher::socket || phase_ > phase::finishing)
            return;
        switch (frames_.write_to(socket_->native_handle()))
        {
        case outgoing::outcome::all:
            end_if_asked();
            break;
        case outgoing::outcome::blocked:
            flush_when_writable();
            break;
        case outgoing::outcome::crowded:
            flush_later();
            break;
        case outgoing::outcome::gone:
            give_up(nullptr);
            break;
        }
        if (has_room(2))
            drained_.post_all();
        if (frames_.size() <= limits_.outgoing_high_water / 2)
            emptier_.post_all();
        if (empty())
            flushed_.post_all();
    }

    /// What the bytes of both directions pass through, from the first on; null for nothing.
    void encrypt(std::shared_ptr<cipher> by) { frames_.encrypt(std::move(by)); }

    cipher* through() const noexcept { return frames_.through(); }

    /// The socket that was missing is there.
    void connected() { flush_as(flusher::socket); }

    /// Waits until the kernel has taken most of what waits for it.
    static task<> room_for_replies(std::shared_ptr<sender> self)
    {
        self->flush();
        while (self->frames_.size() > self->limits_.outgoing_high_water / 2)
            co_await self->emptier_.wait();
    }

    /// Waits until there is room for more. Throws closed when nothing can be sent any more.
    static task<> drained(std::shared_ptr<sender> self)
    {
        self->flush();
        while (!self->has_room(2))
            co_await self->drained_.wait();
        if (self->phase_ != phase::open)
            self->throw_closed();
    }

    /// Waits until the kernel has everything. Throws closed when something can never get there.
    static task<> flushed(std::shared_ptr<sender> self)
    {
        self->flush();
        while (!self->empty())
            co_await self->flushed_.wait();
        if (self->undeliverable_)
            self->throw_closed();
    }

    /// No more is sent: when everything is written, the other side reads the end.
    void finish()
    {
        if (!open())
            return;
        phase_ = phase::finishing;
        flush();
    }

    /// The same when nobody is left who reads: who waits for the socket to be readable is let go
    /// when everything is written.
    void abandon()
    {
        abandoned_ = true;
        finish();
    }

    /// Says something to the other side behind all that is written, if there is room in the socket.
    void send_last(frame_header header, std::string_view text)
    {
        send_text(header, text.substr(0, frame_header::max_type_name));
        flush();
    }

    /// Nothing that is sent can arrive any more; why, unless it is that the other side has closed.
    void give_up(std::exception_ptr why)
    {
        if (!failure_)
            failure_ = std::move(why);
        phase_ = phase::lost;
        undeliverable_ = undeliverable_ || !empty();
        frames_.give_up();
        flows_.give_up([this](auto unsent) { frames_.take_back(std::move(unsent)); });
        drained_.post_all();
        emptier_.post_all();
        flushed_.post_all();
    }

    /// How many take_returned() would give.
    std::size_t returned() const noexcept { return frames_.returned(); }

    /// The descriptors that the other side could not receive or, after the end, never took.
    std::vector<descriptor> take_returned() { return frames_.take_returned(); }

private:
    enum class phase
    {
        open,      // frames may be added
        finishing, // what is there is still written
        finished,  // everything is written, and the other side knows that no more comes
        lost,      // what is written cannot arrive any more
    };

    // Who will call flush() next.
    enum class flusher
    {
        nobody,
        turn,   // the reader's turn that runs just now
        post,   // a handler that was posted
        socket, // the socket when it is there and writable, or a timer: it is of no use before
    };

    // Room for more: waiting ends with a smaller share than it began, so that it ends less often.
    bool has_room(std::size_t share) const noexcept
    {
        auto descriptors = frames_.unconfirmed() + flows_.descriptors();
        return size() <= limits_.outgoing_high_water / share &&
               (nobody_confirms_ || descriptors <= limits_.max_descriptors / share);
    }

    /// Bytes that wait for the kernel or for the other side.
    std::size_t size() const noexcept { return frames_.size() + flows_.size(); }

    bool empty() const noexcept { return frames_.empty() && !holds(); }

    // What waited, and may leave now.
    void release()
    {
        if (!holds())
            return;
        flows_.release(frames_.unconfirmed(),
                       [this](buffer& from, std::size_t count, std::vector<descriptor> beside)
                       {
                           auto start = frames_.size();
                           move_front(from, count, frames_.bytes());
                           if (!beside.empty())
                               frames_.attach(start, std::move(beside), true);
                       });
        schedule_flush();
    }

    [[noreturn]] void throw_closed() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
        auto text = phase_ == phase::lost ? ": it has gone, so what is sent cannot reach it"
                                          : ": nothing can be sent after disconnect()";
        throw error(errc::closed, peer_ + text);
    }

    void schedule_flush()
    {
        if (frames_.size() >= large_write)
            return flush();
        if (flusher_ != flusher::nobody)
            return;
        flusher_ = flusher::post;
        asio::post(socket_->get_executor(),
                   [self = shared_from_this()] { self->flush_as(flusher::post); });
    }

    void flush_when_writable()
    {
        flusher_ = flusher::socket;
        socket_->async_wait(stream_socket::wait_write, [self = shared_from_this()](std::error_code)
                            { self->flush_as(flusher::socket); });
    }

    void flush_later()
    {
        flusher_ = flusher::socket;
        retry_.expires_after(std::chrono::milliseconds(5));
        retry_.async_wait([self = shared_from_this()](std::error_code)
                          { self->flush_as(flusher::socket); });
    }

    void flush_as(flusher who)
    {
        if (flusher_ == who)
            flusher_ = flusher::nobody;
        flush();
    }

    void end_if_asked()
    {
        if (phase_ != phase::finishing || holds())
            return;
        if (!frames_.end(socket_->native_handle()))
            return flush_when_writable();
        phase_ = phase::finished;
        std::error_code ignored;
        if (abandoned_)
            socket_->cancel(ignored);
    }

    // What a worker and its primary say to each other is short, and must not fail because of
    // messages that are not read.
    static constexpr std::size_t control_reserve = std::size_t{1} << 20;
    static constexpr std::size_t large_write = std::size_t{64} << 10;

    std::shared_ptr<stream_socket> socket_;
    std::string peer_;
    channel_limits limits_;
    const reach reach_;
    outgoing frames_;
    outflows flows_;
    std::vector<std::uint64_t> announced_;
    phase phase_ = phase::open;
    flusher flusher_;
    bool abandoned_ = false;
    bool nobody_confirms_ = false;
    bool undeliverable_ = false; // frames were lost, which flushed() must report for ever
    std::exception_ptr failure_; // why, unless the other side just closed
    asio::steady_timer retry_;
    wait_queue drained_;
    wait_queue emptier_;
    wait_queue flushed_;
};

} // namespace brood::detail
