// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/codec/archive.hpp>
#include <brood/codec/message.hpp>
#include <brood/wire/frame.hpp>

#include <string>

namespace brood::test
{

/// A frame as it stands on the wire, right or wrong. The length is that of the payload.
inline std::string frame_bytes(frame_header header, const std::string& payload = {})
{
    header.length += static_cast<std::uint32_t>(payload.size());
    std::string bytes(frame_header::size, '\0');
    store(header, std::span<std::byte, frame_header::size>(
                      reinterpret_cast<std::byte*>(bytes.data()), frame_header::size));
    return bytes + payload;
}

inline std::string hello_bytes(std::uint64_t magic = wire_magic,
                               std::uint64_t version = wire_version)
{
    std::string window(frame_window::size, '\0');
    store(frame_window{}, std::span<std::byte, frame_window::size>(
                              reinterpret_cast<std::byte*>(window.data()), frame_window::size));
    return frame_bytes({0, frame_kind::hello, 0, 0, magic, version}, window);
}

template <class Message>
std::string payload_bytes(const Message& value)
{
    buffer bytes;
    encode(bytes, value);
    return {reinterpret_cast<const char*>(bytes.data().data()), bytes.size()};
}

/// A message as its sender would write it, but with another payload when one is named.
template <class Message>
std::string message_bytes(const std::string& payload)
{
    return frame_bytes({0, frame_kind::message, 0, 0, message_fingerprint<Message>(), 0}, payload);
}

template <class Message>
std::string message_bytes(const Message& value)
{
    return message_bytes<Message>(payload_bytes(value));
}

} // namespace brood::test
