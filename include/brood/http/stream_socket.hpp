// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>

#include <asio/generic/stream_protocol.hpp>

#include <optional>
#include <string>
#include <utility>

namespace brood::http
{

/// A connection of a server as Asio knows it: TCP or a local socket.
using stream_socket = asio::generic::stream_protocol::socket;

/// Where one of its ends is.
using stream_endpoint = asio::generic::stream_protocol::endpoint;

/// A connection that has left HTTP: response::upgrade() gives it.
struct upgraded
{
    upgraded() = default; // no aggregate: g++ 12 destroys those twice in an await

    upgraded(stream_socket connection, std::string bytes)
        : socket(std::move(connection)), already_read(std::move(bytes))
    {
    }

    std::optional<stream_socket> socket;
    std::string already_read; ///< What the client sent behind its request.
};

} // namespace brood::http
