// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>

// The names of Asio's addresses and sockets, for declarations: who uses one includes its header.

#if !defined(ASIO_INLINE_NAMESPACE_BEGIN)
#define BROOD_ASIO_NAMES_BEGIN
#define BROOD_ASIO_NAMES_END
#else
#define BROOD_ASIO_NAMES_BEGIN ASIO_INLINE_NAMESPACE_BEGIN
#define BROOD_ASIO_NAMES_END ASIO_INLINE_NAMESPACE_END
#endif

namespace asio
{
BROOD_ASIO_NAMES_BEGIN

template <class Protocol, class Executor>
class basic_datagram_socket;

namespace ip
{

class tcp;
class udp;

template <class Protocol>
class basic_endpoint;

} // namespace ip

namespace local
{

class stream_protocol;

template <class Protocol>
class basic_endpoint;

} // namespace local

BROOD_ASIO_NAMES_END
} // namespace asio

#undef BROOD_ASIO_NAMES_BEGIN
#undef BROOD_ASIO_NAMES_END

namespace brood::detail
{

using tcp_endpoint = asio::ip::basic_endpoint<asio::ip::tcp>;
using udp_endpoint = asio::ip::basic_endpoint<asio::ip::udp>;
using local_endpoint = asio::local::basic_endpoint<asio::local::stream_protocol>;
using udp_socket = asio::basic_datagram_socket<asio::ip::udp, asio::any_io_executor>;

} // namespace brood::detail
