// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/base/detail/ring.hpp>
#include <brood/wire/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Moves bytes from the front of a buffer to the end of another. Copies none, or few, when most of
/// it goes into an empty one.
inline void move_front(buffer& from, std::size_t count, buffer& to)
{
    if (!to.empty() || count < from.size() / 2)
    {
        to.append(std::as_const(from).data().data(), count);
        return from.consume(count);
    }
    std::swap(from, to);
    auto rest = std::as_const(to).data().subspan(count);
    from.append(rest.data(), rest.size());
    to.truncate(count);
}

/// How much may still come of a kind of frames: the other side has been told how much more than has
/// been taken.
class inflow
{
public:
    inflow(std::uint64_t window, std::uint64_t initial)
        : window_(std::max<std::uint64_t>(window, 1)), granted_(std::max(window_, initial))
    {
    }

    std::uint64_t announced() const noexcept { return window_; }

    /// Counts a frame. False when it may not have been sent.
    bool arrive(std::uint64_t size) noexcept
    {
        auto allowed = arrived_ < granted_;
        arrived_ += size;
        return allowed;
    }

    /// Counts a frame that was taken. Gives how much more may be sent, or 0 until it is worth a
    /// frame to say so.
    std::uint64_t take(std::uint64_t size) noexcept
    {
        taken_ += size;
        auto allowed = taken_ + window_;
        if (allowed < granted_ + std::max<std::uint64_t>(window_ / 4, 1))
            return 0;
        return allowed - std::exchange(granted_, allowed);
    }

private:
    std::uint64_t window_;
    std::uint64_t granted_; // bytes that may have come, in all
    std::uint64_t arrived_ = 0;
    std::uint64_t taken_ = 0;
};

/// Frames of a kind on their way out: how much may leave, and those that wait for it in their
/// order.
class outflow
{
public:
    explicit outflow(std::uint64_t initial) : credit_(static_cast<std::int64_t>(initial)) {}

    /// Whether the other side has room for the next one.
    bool has_credit() const noexcept { return credit_ > 0; }

    void add_credit(std::uint64_t bytes) noexcept
    {
        credit_ += static_cast<std::int64_t>(std::min(bytes, most_credit));
        credit_ = std::min(credit_, static_cast<std::int64_t>(most_credit));
    }

    /// A frame leaves. It may be larger than what is left.
    void spend(std::size_t bytes) noexcept { credit_ -= static_cast<std::int64_t>(bytes); }

    bool empty() const noexcept { return frames_.empty(); }

    /// Bytes of those that wait.
    std::size_t size() const noexcept { return bytes_.size(); }

    std::size_t descriptors() const noexcept { return descriptors_.size(); }

    /// Where a frame that has to wait is written.
    buffer& bytes() noexcept { return bytes_; }

    /// What was written last is a frame of so many bytes.
    void hold(std::size_t bytes, std::vector<descriptor> beside)
    {
        frames_.push_back({bytes, beside.size()});
        for (auto& each : beside)
            descriptors_.push_back(std::move(each));
    }

    /// How many descriptors the oldest has.
    std::size_t next_descriptors() noexcept { return frames_.front().descriptors; }

    /// Hands the oldest to `leave(from, bytes, descriptors)`, which takes that many bytes out of
    /// the front of `from`, and in the same piece those behind it for which there is credit, up to
    /// the next one with descriptors. `all` needs no credit.
    template <class Leave>
    void release(bool all, Leave leave)
    {
        auto oldest = frames_.pop_front();
        auto bytes = oldest.bytes;
        auto beside = take_descriptors(oldest.descriptors);
        spend(oldest.bytes);
        while (!frames_.empty() && next_descriptors() == 0 && (all || has_credit()))
        {
            auto next = frames_.pop_front().bytes;
            spend(next);
            bytes += next;
        }
        leave(bytes_, bytes, std::move(beside));
    }

    /// Forgets all that waits, and gives its descriptors.
    std::vector<descriptor> give_up()
    {
        frames_.clear();
        bytes_.clear();
        return take_descriptors(descriptors_.size());
    }

private:
    static constexpr std::uint64_t most_credit = std::uint64_t{1} << 60;

    struct held
    {
        std::size_t bytes = 0;
        std::size_t descriptors = 0;
    };

    std::vector<descriptor> take_descriptors(std::size_t count)
    {
        std::vector<descriptor> result;
        result.reserve(count);
        for (; count != 0; --count)
            result.push_back(descriptors_.pop_front());
        return result;
    }

    std::int64_t credit_;
    buffer bytes_;
    ring<held> frames_;
    ring<descriptor> descriptors_; // of all of them
};

/// The frames of a sender that need room on the other side, and what is known of that.
class outflows
{
public:
    /// Null for frames that are sent whatever the other side has not taken.
    outflow* of(frame_kind kind) noexcept
    {
        return kind == frame_kind::message ? &messages_
                                           : (kind == frame_kind::request ? &requests_ : nullptr);
    }

    /// Whether nothing waits.
    bool empty() const noexcept { return messages_.empty() && requests_.empty(); }

    std::size_t size() const noexcept { return messages_.size() + requests_.size(); }

    std::size_t descriptors() const noexcept
    {
        return messages_.descriptors() + requests_.descriptors();
    }

    /// The other side has said what it takes; until then it takes the initial window.
    void greeted(const frame_window& by) noexcept
    {
        frame_window initial;
        messages_.add_credit(by.messages - std::min(by.messages, initial.messages));
        requests_.add_credit(by.requests - std::min(by.requests, initial.requests));
        most_descriptors_ = std::max(by.descriptors, initial.descriptors);
    }

    /// The other side can say no more what it takes: the kernel holds what it does not read.
    void lift() noexcept { lifted_ = true; }

    /// Whether a frame may leave, when so many descriptors have not been confirmed.
    bool may_leave(const outflow& of, std::size_t descriptors, std::size_t unconfirmed) const
    {
        auto fit =
            descriptors == 0 || unconfirmed == 0 || unconfirmed + descriptors <= most_descriptors_;
        return lifted_ || (fit && of.has_credit());
    }

    /// Hands every frame that may leave now to `leave(from, bytes, descriptors)`, which takes it
    /// out and adds to `unconfirmed`.
    template <class Leave>
    void release(const std::size_t& unconfirmed, Leave leave)
    {
        for (auto flow : {&messages_, &requests_})
            while (!flow->empty() && may_leave(*flow, flow->next_descriptors(), unconfirmed))
                flow->release(lifted_, leave);
    }

    /// Gives up all that waits. Hands its descriptors to `take_back`.
    template <class TakeBack>
    void give_up(TakeBack take_back)
    {
        for (auto flow : {&messages_, &requests_})
            take_back(flow->give_up());
    }

private:
    outflow messages_{frame_window{}.messages};
    outflow requests_{frame_window{}.requests};
    std::uint64_t most_descriptors_ = frame_window{}.descriptors; // under way
    bool lifted_ = false;
};

} // namespace brood::detail
