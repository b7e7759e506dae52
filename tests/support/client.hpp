// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <asio/ip/tcp.hpp>

#include <cstdint>
#include <string>

namespace brood::test
{

/// The port in "[::]:8080".
std::uint16_t port_of(const std::string& address);

/// A connection to a port of this machine. Throws std::system_error (connection_refused).
task<asio::ip::tcp::socket> connect_to(std::uint16_t port);

/// All that the other side writes until it closes.
task<std::string> read_all(asio::ip::tcp::socket from);

/// Connects, and reads what the server writes.
task<std::string> ask(std::uint16_t port);

} // namespace brood::test
