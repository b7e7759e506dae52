// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/error.hpp>
#include <brood/wire/frame.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace brood
{

/// A whole frame that has arrived: its header, and where its payload lies in the stream.
struct frame
{
    frame_header header;
    std::uint64_t position =
        0; ///< Of the payload's first byte, counted from the first byte ever read.
};

/// Bytes in any pieces → whole frames, or an error that says what is wrong with them.
///
/// It trusts nothing: each header is checked before anything is believed, and memory grows with the
/// bytes that arrive, never with the length that is announced. It reads no socket and knows no
/// type.
class frame_reader
{
public:
    /// The limits for one frame: bytes of payload, and descriptors.
    explicit frame_reader(std::size_t max_message, std::size_t max_descriptors)
        : max_message_(max_message), max_descriptors_(max_descriptors)
    {
    }

    /// Memory for the bytes that come next, never empty; `arrived` tells how much of it was filled.
    ///
    /// It ends where a long frame ends: what comes behind it would have to move when that is taken.
    std::span<std::byte> room()
    {
        auto memory = bytes_.prepare(smallest_read);
        return memory.first(std::min(memory.size(), rest_of_long_frame()));
    }

    void arrived(std::size_t count) { bytes_.commit(count); }

    /// The next whole frame, or nothing until more bytes arrive.
    ///
    /// Throws brood::error (malformed, too_large, version_mismatch) for bytes that cannot be a
    /// frame, and again at every later call: the stream is lost from there on. The first frame is
    /// the hello, which is checked here and not handed out.
    std::optional<frame> next()
    {
        while (auto found = parse())
            if (found->header.kind != frame_kind::hello)
                return found;
        return std::nullopt;
    }

    /// The payload of a frame that has not been released. Valid until the next call of room().
    std::span<const std::byte> payload(const frame& of) const
    {
        return bytes_.data().subspan(of.position - base_, of.header.length);
    }

    /// Gives back the memory of everything that lies before a position of the stream.
    void release(std::uint64_t position)
    {
        bytes_.consume(position - base_);
        base_ = position;
    }

    /// Begins again with another stream, and keeps the memory.
    void reset() noexcept
    {
        bytes_.clear();
        base_ = parsed_ = 0;
        window_.reset();
    }

    /// Where the next frame will begin: everything before it has been handed out.
    std::uint64_t position() const noexcept { return parsed_; }

    /// What the hello of the other side said; nothing until that has come.
    const std::optional<frame_window>& window() const noexcept { return window_; }

    /// Bytes in memory: handed out and not released, and those of a frame that is not yet whole.
    std::size_t held() const noexcept { return bytes_.size(); }

    /// Bytes in memory of the frame that is not yet whole.
    std::size_t begun() const noexcept { return bytes_.size() - (parsed_ - base_); }

    /// Whether a frame has begun that is not yet whole: an end of the stream here cuts it off.
    bool in_frame() const noexcept { return begun() != 0; }

    /// How many descriptors may have come with the bytes of the frame that is not yet whole.
    std::size_t expected_descriptors() const
    {
        auto rest = unparsed();
        if (rest.empty())
            return 0;
        if (rest.size() < frame_header::size)
            return max_descriptors_;
        return load(rest.first<frame_header::size>()).descriptors;
    }

private:
    static constexpr std::size_t smallest_read = 128 << 10;
    static constexpr std::size_t long_frame = 256 << 10;

    std::span<const std::byte> unparsed() const { return bytes_.data().subspan(parsed_ - base_); }

    // Without a limit for short frames, of which one read takes many.
    std::size_t rest_of_long_frame() const
    {
        auto rest = unparsed();
        if (rest.size() < frame_header::size)
            return SIZE_MAX;
        auto whole = frame_header::size + load(rest.first<frame_header::size>()).length;
        return whole < long_frame || whole <= rest.size() ? SIZE_MAX : whole - rest.size();
    }

    std::optional<frame> parse()
    {
        auto rest = unparsed();
        if (rest.size() < frame_header::size)
            return std::nullopt;
        auto header = load(rest.first<frame_header::size>());
        check(header);
        if (rest.size() - frame_header::size < header.length)
            return std::nullopt;
        if (!window_)
            window_ = load_window(rest.subspan<frame_header::size, frame_window::size>());
        auto payload = parsed_ + frame_header::size;
        parsed_ = payload + header.length;
        return frame{header, payload};
    }

    void check(const frame_header& header) const
    {
        if (!window_)
            return check_hello(header);
        if (header.kind <= frame_kind::hello || header.kind > frame_kind::farewell)
            malformed("a frame of unknown kind " + std::to_string(static_cast<int>(header.kind)));
        if (header.reserved != 0)
            malformed("a frame with reserved bits set");
        if (header.length > longest(header.kind))
            too_long(header);
        if (header.descriptors > most_descriptors(header.kind))
            malformed("a frame with " + std::to_string(header.descriptors) +
                      " descriptors, where at most " +
                      std::to_string(most_descriptors(header.kind)) + " are allowed");
    }

    static void check_hello(const frame_header& header)
    {
        if (header.kind != frame_kind::hello || header.fingerprint != wire_magic)
            malformed("its first bytes are not brood's hello: is it a brood program?");
        if (header.correlation != wire_version)
            throw error(errc::version_mismatch, "it speaks version " +
                                                    std::to_string(header.correlation) +
                                                    " of the wire, this process speaks version " +
                                                    std::to_string(wire_version));
        if (header.length != frame_window::size || header.descriptors != 0 || header.reserved != 0)
            malformed("a hello that says something else than its windows");
    }

    std::size_t longest(frame_kind kind) const
    {
        switch (kind)
        {
        case frame_kind::message:
        case frame_kind::request:
        case frame_kind::reply:
        case frame_kind::failure:
            return max_message_;
        case frame_kind::control:
            return frame_header::max_control;
        case frame_kind::type_name:
        case frame_kind::broken:
            return frame_header::max_type_name;
        default:
            return 0;
        }
    }

    std::size_t most_descriptors(frame_kind kind) const
    {
        auto carries = kind == frame_kind::message || kind == frame_kind::request ||
                       kind == frame_kind::reply || kind == frame_kind::control;
        return carries ? max_descriptors_ : 0;
    }

    [[noreturn]] void too_long(const frame_header& header) const
    {
        auto text = "a frame of " + std::to_string(header.length) + " bytes, where at most " +
                    std::to_string(longest(header.kind)) + " are allowed";
        throw error(errc::too_large, text);
    }

    [[noreturn]] static void malformed(const std::string& what)
    {
        throw error(errc::malformed, what);
    }

    buffer bytes_;
    std::uint64_t base_ = 0;   // the position of the first byte in memory
    std::uint64_t parsed_ = 0; // the position behind the last whole frame; base_ <= parsed_
    std::size_t max_message_;
    std::size_t max_descriptors_;
    std::optional<frame_window> window_;
};

} // namespace brood
