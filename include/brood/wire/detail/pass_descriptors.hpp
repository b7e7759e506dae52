// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/wire/internal/cipher.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

namespace brood::detail
{

/// The most descriptors that Linux takes with one call: SCM_MAX_FD, unix(7).
inline constexpr std::size_t descriptors_per_call = 253;

#ifdef MSG_NOSIGNAL
inline constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
inline constexpr int send_flags = MSG_DONTWAIT; // the socket has SO_NOSIGPIPE instead
#endif

#ifdef MSG_CMSG_CLOEXEC
inline constexpr int receive_flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
#else
inline constexpr int receive_flags = MSG_DONTWAIT;
#endif

/// Room for the control part of one call, aligned as cmsg(3) asks.
struct control_part
{
    alignas(std::max_align_t)
        std::array<std::byte, CMSG_SPACE(descriptors_per_call * sizeof(int))> bytes;
};

/// Sends bytes, and descriptors with the first of them, without waiting. Gives what sendmsg(2)
/// gives: when it is positive, every descriptor has gone; when it is -1, none has.
inline ssize_t send_bytes(int socket, std::span<const std::byte> bytes,
                          std::span<const descriptor> descriptors)
{
    iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    control_part control;
    if (!descriptors.empty())
    {
        auto size = descriptors.size() * sizeof(int);
        message.msg_control = control.bytes.data();
        message.msg_controllen = CMSG_SPACE(size);
        auto part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(size);
        auto place = CMSG_DATA(part);
        for (auto& each : descriptors)
        {
            auto number = each.get();
            std::memcpy(place, &number, sizeof number);
            place += sizeof number;
        }
    }
    return retry([&] { return ::sendmsg(socket, &message, send_flags); });
}

/// What one call received.
struct received
{
    ssize_t bytes = 0;             ///< As recvmsg(2) gives it: 0 at the end, -1 with errno set.
    std::size_t descriptors = 0;   ///< How many were added.
    bool descriptors_lost = false; ///< There were more than this process may open.
    bool filled = false;           ///< The room was filled: there may be more.
};

/// Whether what recv(2) or recvmsg(2) gave says that no more will come.
inline bool is_end(ssize_t received)
{
    return received == 0 || (received < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

/// Receives what was encrypted, which descriptors cannot be.
inline received receive_bytes(int socket, std::span<std::byte> room, cipher& through)
{
    auto count = through.receive(socket, room);
    return {count, 0, false, count == static_cast<ssize_t>(room.size())};
}

/// Receives bytes without waiting, and adds the descriptors that came with them, close-on-exec.
inline received receive_bytes(int socket, std::span<std::byte> room,
                              std::vector<descriptor>& descriptors)
{
    iovec piece{room.data(), room.size()};
    control_part control;
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    auto count = retry([&] { return ::recvmsg(socket, &message, receive_flags); });
    received result{count, 0, false, count == static_cast<ssize_t>(room.size())};
    if (count < 0)
        return result;
    // Linux truncates when the limit of open files is reached; what did fit has to be closed by
    // somebody.
    result.descriptors_lost = (message.msg_flags & MSG_CTRUNC) != 0;
    for (auto part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part))
    {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        auto total = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < total; ++index)
        {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(part) + index * sizeof number, sizeof number);
            descriptors.emplace_back(number);
#ifndef MSG_CMSG_CLOEXEC
            ::fcntl(number, F_SETFD, FD_CLOEXEC);
#endif
        }
        result.descriptors += total;
    }
    return result;
}

} // namespace brood::detail
