// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/process/internal/listener_core.hpp>
#include <brood/process/listener.hpp>

#include <cstring>
#include <utility>

namespace brood
{
namespace detail
{

template <class Endpoint>
Endpoint endpoint_of(const socket_address& address)
{
    Endpoint result;
    result.resize(address.size());
    std::memcpy(result.data(), address.data(), address.size());
    return result;
}

template <class Socket>
task<std::optional<Socket>> accepted(std::shared_ptr<listener_core> from)
{
    auto taken = co_await listener_core::next(from);
    if (!taken)
        co_return std::nullopt;
    auto protocol = endpoint_of<typename Socket::endpoint_type>(from->address()).protocol();
    Socket connection(from->executor());
    assign_descriptor(std::move(taken), connection, protocol);
    co_return connection;
}

} // namespace detail

BROOD_INLINE listener::listener(std::shared_ptr<detail::listener_core> core) noexcept
    : core_(std::move(core))
{
}

BROOD_INLINE task<std::optional<listener::socket_type>> listener::accept()
{
    return detail::accepted<socket_type>(core_);
}

BROOD_INLINE listener::endpoint_type listener::local_endpoint() const
{
    return detail::endpoint_of<endpoint_type>(core_->address());
}

BROOD_INLINE void listener::close()
{
    core_->close();
}

BROOD_INLINE local_listener::local_listener(std::shared_ptr<detail::listener_core> core) noexcept
    : core_(std::move(core))
{
}

BROOD_INLINE task<std::optional<local_listener::socket_type>> local_listener::accept()
{
    return detail::accepted<socket_type>(core_);
}

BROOD_INLINE local_listener::endpoint_type local_listener::local_endpoint() const
{
    return detail::endpoint_of<endpoint_type>(core_->address());
}

BROOD_INLINE void local_listener::close()
{
    core_->close();
}

} // namespace brood
