// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood
{

/// A way back through an ssh: what connects there, on the machine of the worker, arrives here.
///
/// There it is a port of that machine's loopback, by default one that its sshd chooses and ssh
/// tells (allocated_port()); or a local socket, when `remote_path` is given, which the user of that
/// machine alone can open, and whose file stays unless somebody removes it. Here it is an address
/// and a port, or a local socket. See -R in ssh(1).
struct reverse_forward
{
    std::uint16_t remote_port = 0;        ///< There; 0 for one that is free.
    std::string remote_path = {};         ///< There, instead of a port.
    std::string local_host = "127.0.0.1"; ///< Here: IPv6 without [].
    std::uint16_t local_port = 0;         ///< Here.
    std::string local_path = {};          ///< Here, instead of an address.

    friend bool operator==(const reverse_forward&, const reverse_forward&) = default;
};

/// What follows -R: "127.0.0.1:0:127.0.0.1:7000", "/tmp/there:/run/here".
std::string to_string(const reverse_forward& way);

/// The port that sshd chose: from what ssh says on stderr, "Allocated port 41231 for remote forward
/// to 127.0.0.1:7000", wherever in the text; or from what `ssh -O forward` says on stdout, which is
/// the number alone. Nothing when it is not said.
std::optional<std::uint16_t> allocated_port(std::string_view text);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/reverse_forward.ipp>
#endif
