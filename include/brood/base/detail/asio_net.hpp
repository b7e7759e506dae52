// SPDX-License-Identifier: BSL-1.0
#pragma once

// The part of Asio for networks, apart from asio.hpp because it takes longer to compile.

#include <brood/base/detail/asio.hpp>

#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/local/stream_protocol.hpp>
