// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <cstdint>
#include <iterator>
#include <sys/socket.h>

#ifdef __linux__
#include <linux/filter.h>
#endif

namespace brood::detail
{

/// From here on the kernel does not hear who wants to connect to a listening TCP socket, in every
/// process that shares it; who is connected already waits in its backlog. Without a system that can
/// do it, nothing.
///
/// Whoever comes too late tries again by himself, a second later, and is refused, or served by who
/// listens there then. Else he would be connected between the last accept and the close, which
/// would cut him off.
inline void ignore_newcomers([[maybe_unused]] const descriptor& listening) noexcept
{
#ifdef __linux__
    // Drops what has the flag SYN in its TCP header, and passes all else: handshakes that have
    // begun come to their end, and connections inherit the filter.
    constexpr std::uint32_t flags = 13, syn = 2, all = 0xFFFF'FFFF;
    sock_filter program[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags),
                             BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, syn, 0, 1),
                             BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, all)};
    sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    ::setsockopt(listening.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
#endif
}

} // namespace brood::detail
