// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/host_list.hpp>
#include <brood/remote/launch_command.hpp>
#include <brood/remote/reverse_forward.hpp>
#include <brood/remote/ssh_options.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace brood
{

/// The ssh that runs a program on a host, with its standard streams as they are: no terminal, no
/// question to anybody, and an end when the other side is silent.
///
/// Its end is the program's, see exit_by_ssh(). No signal gets through: when ssh is ended, the
/// program reads the end of its stdin and has to end by itself. `control_path` names the socket of
/// an ssh_master() whose connection is used; when nobody is there any more, or it is empty, ssh
/// connects by itself. `way_back` opens a port there that leads here as long as ssh runs; with a
/// master it is the master's to open.
launch_command ssh_command(const ssh_options& options, const remote_host& host,
                           const worker_program& program, const std::string& control_path = {},
                           const std::optional<reverse_forward>& way_back = std::nullopt);

/// The same for a text that sh reads there.
launch_command ssh_command(const ssh_options& options, const remote_host& host,
                           std::string_view text_for_sh, const std::string& control_path = {},
                           const std::optional<reverse_forward>& way_back = std::nullopt);

/// The ssh that does nothing but hold a connection that others share: it listens at the socket
/// `control_path` once it stands, which has to be shorter than 90 bytes, in a directory that only
/// its user may enter.
launch_command ssh_master(const ssh_options& options, const remote_host& host,
                          const std::string& control_path,
                          const std::optional<reverse_forward>& way_back = std::nullopt);

/// Says something to an ssh_master(): "check" whether it is there, "exit", or "forward" to open
/// `way_back`, which prints the port when sshd chose it (allocated_port()). See -O in ssh(1).
launch_command ssh_control(const ssh_options& options, const remote_host& host,
                           const std::string& control_path, std::string what,
                           const std::optional<reverse_forward>& way_back = std::nullopt);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/ssh_command.ipp>
#endif
