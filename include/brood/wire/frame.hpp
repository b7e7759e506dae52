// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace brood
{

/// What a frame is for. The numbers are the wire's and never change.
enum class frame_kind : std::uint8_t
{
    hello = 1,     ///< The first frame each way; nothing else about the wire may change without it.
    type_name = 2, ///< Payload: the name that belongs to a fingerprint, once before its first use.
    message = 3,   ///< A value that the other side takes in order.
    request = 4,   ///< A value that wants a reply, which will carry the same correlation.
    reply = 5,     ///< The value that answers a request.
    failure = 6,   ///< Payload: type and text of the exception that answers a request.
    cancel = 7,    ///< Nobody waits any more for the reply with this correlation.
    taken = 8,     ///< The frame with this number among those with descriptors was taken.
    refused = 9,   ///< Its descriptors did not arrive; they are the sender's again.
    control = 10,  ///< A value on a lane of its own, for what the floors above say to each other.
    credit = 11,   ///< So many bytes more of the kind that stands for the fingerprint may be sent.
    broken = 12,   ///< Payload: why nothing more of what the other side sends can be read.
    farewell = 13, ///< This process ends now, with the exit code that stands for the correlation.
};

/// The first 24 bytes of each frame, little-endian in this order.
struct frame_header
{
    static constexpr std::size_t size = 24;
    static constexpr std::size_t max_type_name = 1024; ///< Of a reason as well.
    static constexpr std::size_t max_control = std::size_t{1} << 20;

    std::uint32_t length = 0;      ///< Bytes of payload that follow.
    frame_kind kind = {};          //
    std::uint8_t reserved = 0;     ///< Zero; anything else is refused.
    std::uint16_t descriptors = 0; ///< How many ride on the first bytes of this frame.
    std::uint64_t fingerprint = 0; ///< Of the payload's type.
    std::uint64_t correlation =
        0; ///< Pairs requests and replies; in `taken` and `refused` a number.
};

/// What a hello carries in place of a fingerprint ("brood" and a line end of each kind) and of a
/// correlation.
inline constexpr std::uint64_t wire_magic = 0x00'0a'0d'64'6f'6f'72'62;
inline constexpr std::uint64_t wire_version = 2;

/// What may be under way to a process that has not taken it yet: bytes of frames, headers counted,
/// and descriptors. The payload of a hello, little-endian in this order.
///
/// A frame may leave while any of it is left, and so may exceed it. `credit` and `taken` give back.
/// What stands here by default may be sent before the other side's hello has come, whatever it
/// says.
struct frame_window
{
    static constexpr std::size_t size = 24;

    std::uint64_t messages = std::uint64_t{256} << 10;
    std::uint64_t requests = std::uint64_t{256} << 10;
    std::uint64_t descriptors =
        64; ///< Beside both; one frame may have more when none is under way.
};

namespace detail
{

template <class Number>
Number little(Number number)
{
    if constexpr (std::endian::native == std::endian::little)
        return number;
    Number swapped = 0;
    for (std::size_t index = 0; index < sizeof(Number); ++index)
        swapped = static_cast<Number>(swapped << 8 | (number >> (8 * index) & 0xff));
    return swapped;
}

template <class Number>
std::byte* store_little(std::byte* to, Number number)
{
    number = little(number);
    std::memcpy(to, &number, sizeof number);
    return to + sizeof number;
}

template <class Number>
const std::byte* load_little(const std::byte* from, Number& number)
{
    std::memcpy(&number, from, sizeof number);
    number = little(number);
    return from + sizeof number;
}

} // namespace detail

/// Writes a header in the wire's order.
inline void store(const frame_header& header, std::span<std::byte, frame_header::size> to)
{
    auto place = detail::store_little(to.data(), header.length);
    place = detail::store_little(place, static_cast<std::uint8_t>(header.kind));
    place = detail::store_little(place, header.reserved);
    place = detail::store_little(place, header.descriptors);
    place = detail::store_little(place, header.fingerprint);
    detail::store_little(place, header.correlation);
}

inline void store(const frame_window& window, std::span<std::byte, frame_window::size> to)
{
    auto place = detail::store_little(to.data(), window.messages);
    place = detail::store_little(place, window.requests);
    detail::store_little(place, window.descriptors);
}

inline std::array<std::byte, frame_window::size> to_bytes(const frame_window& window)
{
    std::array<std::byte, frame_window::size> bytes{};
    store(window, bytes);
    return bytes;
}

inline frame_window load_window(std::span<const std::byte, frame_window::size> from)
{
    frame_window window;
    auto place = detail::load_little(from.data(), window.messages);
    place = detail::load_little(place, window.requests);
    detail::load_little(place, window.descriptors);
    return window;
}

/// Reads what `store` wrote. Whether it makes sense is for the frame_reader to say.
inline frame_header load(std::span<const std::byte, frame_header::size> from)
{
    frame_header header;
    std::uint8_t kind = 0;
    auto place = detail::load_little(from.data(), header.length);
    place = detail::load_little(place, kind);
    place = detail::load_little(place, header.reserved);
    place = detail::load_little(place, header.descriptors);
    place = detail::load_little(place, header.fingerprint);
    detail::load_little(place, header.correlation);
    header.kind = static_cast<frame_kind>(kind);
    return header;
}

} // namespace brood
