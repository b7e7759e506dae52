// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/wire/detail/socket_state.hpp>
#include <brood/wire/internal/cipher.hpp>

#include <memory>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// The socket of a link, of whatever kind.
using stream_socket = asio::posix::stream_descriptor;

/// One for a descriptor, or not open for an empty one.
inline std::shared_ptr<stream_socket> open_stream(asio::any_io_executor executor, descriptor socket)
{
    auto result = std::make_shared<stream_socket>(std::move(executor));
    if (socket)
        assign_descriptor(std::move(socket), *result);
    return result;
}

/// Calls `then` when something can be read, and not within this call.
template <class Then>
void when_readable(stream_socket& socket, const cipher* through, Then then)
{
    if (held_by(through) != 0)
        asio::post(socket.get_executor(), [then = std::move(then)] { then(std::error_code()); });
    else
        socket.async_wait(stream_socket::wait_read, std::move(then));
}

} // namespace brood::detail
