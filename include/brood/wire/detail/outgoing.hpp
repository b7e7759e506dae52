// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/base/detail/ring.hpp>
#include <brood/wire/detail/pass_descriptors.hpp>
#include <brood/wire/frame.hpp>
#include <brood/wire/internal/cipher.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Begins a frame at the end of a buffer. Gives where, and to which size it is truncated when
/// nothing becomes of it.
inline std::size_t begin_frame(buffer& bytes)
{
    auto start = bytes.size();
    bytes.prepare(frame_header::size);
    bytes.commit(frame_header::size);
    return start;
}

/// What has been appended since is the payload of a frame.
inline void end_frame(buffer& bytes, std::size_t start, frame_header header)
{
    header.length = static_cast<std::uint32_t>(bytes.size() - start - frame_header::size);
    store(header, bytes.data().subspan(start).first<frame_header::size>());
}

/// Frames on their way out, in one piece of memory, and the descriptors that ride on them.
///
/// A descriptor is kept after it was written until the other side says that it has it.
class outgoing
{
public:
    /// What write_to() ended with.
    enum class outcome
    {
        all,     ///< Everything is in the kernel's hands.
        blocked, ///< The socket is full: go on when it is writable.
        crowded, ///< Too many descriptors are in flight for this user: go on a little later.
        gone,    ///< The other side has closed.
    };

    std::size_t size() const noexcept { return bytes_.size(); }

    bool empty() const noexcept
    {
        return bytes_.empty() && (!cipher_ || given_up_ || !cipher_->holds());
    }

    /// What is written passes through this from here on.
    void encrypt(std::shared_ptr<cipher> by) { cipher_ = std::move(by); }

    cipher* through() const noexcept { return cipher_.get(); }

    /// How many descriptors, of those that would come back, the other side has not confirmed.
    const std::size_t& unconfirmed() const noexcept { return unconfirmed_; }

    /// The memory of all frames: a payload is appended to it.
    buffer& bytes() noexcept { return bytes_; }

    /// Lets descriptors ride on the last frame, and perhaps come back.
    void attach(std::size_t start, std::vector<descriptor> descriptors, bool come_back)
    {
        unconfirmed_ += come_back ? descriptors.size() : 0;
        carriers_.push_back(
            {written_ + start, ++carriers_added_, std::move(descriptors), 0, come_back});
    }

    /// Writes as much as the socket takes, each run of frames up to the next descriptors in one
    /// call.
    outcome write_to(int socket)
    {
        while (!bytes_.empty())
        {
            auto [bytes, descriptors] = next_piece();
            auto count =
                cipher_ ? cipher_->send(socket, bytes) : send_bytes(socket, bytes, descriptors);
            if (count < 0)
                return classify(errno);
            advance(static_cast<std::size_t>(count), descriptors.size());
        }
        return !cipher_ || cipher_->flush(socket) ? outcome::all : classify(errno);
    }

    /// Lets the other side know that no more comes. False when that waits until the socket is
    /// writable.
    bool end(int socket)
    {
        if (cipher_ && !cipher_->end(socket))
            return false;
        ::shutdown(socket, SHUT_WR);
        return true;
    }

    /// The other side has the descriptors of the frame with this number: ours are closed, also when
    /// that is read after it was given up.
    void confirm(std::uint64_t number)
    {
        if (auto found = find(number))
            forget(*found);
        std::erase_if(returned_, [number](auto& each) { return each.number == number; });
    }

    /// The other side could not receive them: they are moved to the returned ones.
    void refuse(std::uint64_t number)
    {
        if (auto found = find(number))
        {
            take_back(*found);
            forget(*found);
        }
    }

    /// Drops what was not written; every descriptor that was not confirmed is among the returned
    /// ones.
    void give_up()
    {
        bytes_.clear();
        given_up_ = true;
        for (std::size_t index = 0; index < carriers_.size(); ++index)
            take_back(carriers_[index]);
        carriers_.clear();
        next_carrier_ = 0;
        unconfirmed_ = 0;
    }

    /// Descriptors that never left are among the returned ones as well.
    void take_back(std::vector<descriptor> unsent)
    {
        for (auto& each : unsent)
            returned_.push_back({never_sent, std::move(each)});
    }

    /// How many came back.
    std::size_t returned() const noexcept { return returned_.size(); }

    /// The descriptors that came back, in the order they were sent. The caller owns them.
    std::vector<descriptor> take_returned()
    {
        std::vector<descriptor> result;
        for (auto& each : std::exchange(returned_, {}))
            result.push_back(std::move(each.what));
        return result;
    }

private:
    struct carrier
    {
        std::uint64_t position = 0; // of the frame's first byte in the stream
        std::uint64_t number = 0;   // counts the frames with descriptors, on both sides alike
        std::vector<descriptor> descriptors;
        std::size_t written = 0; // how many of them the kernel has
        bool come_back = true;   // whether they are the caller's again when nobody took them
    };

    void take_back(carrier& from)
    {
        if (from.come_back)
            for (auto& each : from.descriptors)
                returned_.push_back({from.number, std::move(each)});
    }

    static constexpr std::uint64_t never_sent = 0;

    struct returned_descriptor
    {
        std::uint64_t number; // of the frame that they were sent with
        descriptor what;
    };

    struct piece
    {
        std::span<const std::byte> bytes;
        std::span<const descriptor> descriptors;
    };

    // One call takes a limited number of descriptors, and they ride on its first byte: a frame with
    // more sends its first bytes one by one, each with its share.
    piece next_piece()
    {
        auto bytes = std::as_const(bytes_).data();
        if (next_carrier_ == carriers_.size())
            return {bytes, {}};
        auto& next = carriers_[next_carrier_];
        auto begun = next.position + next.written / descriptors_per_call;
        if (written_ < begun)
            return {bytes.first(begun - written_), {}};
        auto left = std::span<const descriptor>(next.descriptors).subspan(next.written);
        if (left.size() > descriptors_per_call)
            return {bytes.first(1), left.first(descriptors_per_call)};
        if (next_carrier_ + 1 < carriers_.size())
            bytes = bytes.first(carriers_[next_carrier_ + 1].position - written_);
        return {bytes, left};
    }

    void advance(std::size_t bytes, std::size_t descriptors)
    {
        bytes_.consume(bytes);
        written_ += bytes;
        if (descriptors == 0)
            return;
        auto& current = carriers_[next_carrier_];
        current.written += descriptors;
        if (current.written == current.descriptors.size())
            ++next_carrier_;
    }

    static outcome classify(int error_number)
    {
        switch (error_number)
        {
        case EAGAIN:
#if EAGAIN != EWOULDBLOCK
        case EWOULDBLOCK:
#endif
            return outcome::blocked;
        case ETOOMANYREFS:
        case ENOBUFS:
        case ENOMEM:
        case EMSGSIZE:
            return outcome::crowded; // macOS: the descriptors do not fit now
        default:
            return outcome::gone;
        }
    }

    carrier* find(std::uint64_t number)
    {
        for (std::size_t index = 0; index < next_carrier_; ++index)
            if (carriers_[index].number == number)
                return &carriers_[index];
        return nullptr;
    }

    void forget(carrier& confirmed)
    {
        unconfirmed_ -= confirmed.come_back ? confirmed.descriptors.size() : 0;
        confirmed.descriptors.clear();
        while (next_carrier_ != 0 && carriers_.front().descriptors.empty())
        {
            carriers_.pop_front();
            --next_carrier_;
        }
    }

    buffer bytes_;
    std::shared_ptr<cipher> cipher_; // null for none
    bool given_up_ = false;
    std::uint64_t written_ = 0;    // bytes of the stream that the kernel has
    ring<carrier> carriers_;       // frames with descriptors that are not confirmed, oldest first
    std::size_t next_carrier_ = 0; // the first of them that is not wholly written
    std::uint64_t carriers_added_ = 0;
    std::size_t unconfirmed_ = 0; // descriptors of all of them
    std::vector<returned_descriptor> returned_;
};

} // namespace brood::detail
